/** What a rule counts of one group in one pane, and how such counts are put together. */

export interface Measure {
  count: number;
  /** Of a ratio: events of the second query. */
  other: number;
  sum: number;
  min: number;
  max: number;
  /** Events whose value was a number. */
  numbers: number;
  /** Coordinates and text of the first event. */
  event: string;
  line: string;
}

export const emptyMeasure = (): Measure => ({
  count: 0,
  other: 0,
  sum: 0,
  min: Number.POSITIVE_INFINITY,
  max: Number.NEGATIVE_INFINITY,
  numbers: 0,
  event: "",
  line: "",
});

/** Sums of doubles depend on their order, so parts are always added in the order of lanes and panes. */
export const addMeasure = (to: Measure, part: Measure): void => {
  to.count += part.count;
  to.other += part.other;
  to.sum += part.sum;
  to.min = Math.min(to.min, part.min);
  to.max = Math.max(to.max, part.max);
  to.numbers += part.numbers;
  if (to.event === "") {
    to.event = part.event;
    to.line = part.line;
  }
};

/** Groups of a rule by the values of its `by`, as a key. */
export const groupKey = (values: readonly string[]): string => JSON.stringify(values);
export const groupValues = (key: string): string[] => JSON.parse(key) as string[];

/** Where what is beyond a rule's groups is counted. */
export const otherGroups = "\u0000other";
