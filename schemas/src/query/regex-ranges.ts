/** Sets of characters as ranges of code points, both ends included. */

export type Ranges = readonly (readonly [number, number])[];

export const lastPoint = 0x10ffff;
const digits: Ranges = [[0x30, 0x39]];
const wordRanges: Ranges = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const spaces: Ranges = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
export const everything: Ranges = [[0, lastPoint]];

/** \d, \w and \s: ASCII. */
export const classes: Record<string, Ranges> = { d: digits, w: wordRanges, s: spaces };

/** In their order, none beside another. */
export const merged = (list: Ranges): Ranges => {
  const result: [number, number][] = [];
  for (const [low, high] of list.toSorted(([a], [b]) => a - b)) {
    const before = result.at(-1);
    if (before !== undefined && low <= before[1] + 1) before[1] = Math.max(before[1], high);
    else result.push([low, high]);
  }
  return result;
};

export const complement = (list: Ranges): Ranges => {
  const result: [number, number][] = [];
  let from = 0;
  for (const [low, high] of merged(list)) {
    if (low > from) result.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= lastPoint) result.push([from, lastPoint]);
  return result;
};

/** With the other case of every ASCII letter. */
export const folded = (list: Ranges, fold: boolean): Ranges => {
  if (!fold) return list;
  const other = (low: number, high: number, from: number, to: number, by: number): Ranges =>
    Math.max(low, from) <= Math.min(high, to) ? [[Math.max(low, from) + by, Math.min(high, to) + by]] : [];
  return list.flatMap(([low, high]) => [
    [low, high] as const,
    ...other(low, high, 0x41, 0x5a, 0x20),
    ...other(low, high, 0x61, 0x7a, -0x20),
  ]);
};
