/** Counts as the columns that a chart draws. */
import { type Histogram, levels } from "../explore/data.ts";

export interface Series {
  readonly name: string;
  /** A name of a colour in tokens.css. */
  readonly color: string;
  /** null: nothing is known there. */
  readonly values: readonly (number | null)[];
}

export interface Lines {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);

export const totalOf = (histogram: Histogram | undefined): number =>
  histogram?.buckets.reduce((all, { counts }) => all + sum(counts), 0) ?? 0;

const timesOf = (histogram: Histogram | undefined): number[] =>
  histogram?.buckets.map(({ at }) => Date.parse(at) / 1000) ?? [];

/** One line for each level that occurs. */
export const byLevel = (histogram: Histogram): Lines => ({
  times: timesOf(histogram),
  series: [...levels, "unspecified"]
    .map((level) => ({
      name: level === "unspecified" ? "no level" : level,
      color: `--bar-${level === "unspecified" ? "trace" : level}`,
      values: histogram.buckets.map(({ counts }) => counts[level] ?? 0),
    }))
    .filter(({ values }) => values.some((value) => value > 0)),
});

/** One line for each value, in the order of how often they come. Stretches are the same for all: the window is. */
export const byValue = (names: readonly string[], histograms: readonly (Histogram | undefined)[]): Lines => {
  const longest = histograms.reduce<Histogram | undefined>(
    (best, one) => ((one?.buckets.length ?? 0) > (best?.buckets.length ?? 0) ? one : best),
    undefined,
  );
  const times = timesOf(longest);
  return {
    times,
    series: names.map((name, i) => {
      const counts = new Map(histograms[i]?.buckets.map(({ at, counts }) => [Date.parse(at) / 1000, sum(counts)]));
      return { name: name || "(empty)", color: `--series-${i % 6}`, values: times.map((at) => counts.get(at) ?? 0) };
    }),
  };
};
