/** A table of pipes that has times as lines: one for each group, the largest first. */
import type { Lines } from "../boards/shape.ts";
import type { Table } from "./data.ts";

/** More lines than this cannot be told apart. */
const mostLines = 6;

/** What can be drawn over time: the numbers of a table with one time in it. */
export const chartable = ({ columns, rows }: Table): string[] => {
  const times = columns.flatMap(({ type }, i) => (type === "time" ? [i] : []));
  const [time] = times;
  if (time === undefined || times.length > 1 || new Set(rows.map((row) => row[time])).size < 2) return [];
  return columns.filter(({ type }) => type === "number").map(({ name }) => name);
};

/** Where nothing was counted it is zero; of what is measured nothing is known there. */
const addsUp = (metric: string): boolean => /^(?:count|sum|rate)\b/.test(metric);

export interface Drawn {
  readonly lines: Lines;
  /** Whether the sum of a line means something. */
  readonly sums: boolean;
  /** Groups that have no line. */
  readonly left: number;
}

export const linesOf = ({ columns, rows }: Table, metric: string): Drawn => {
  const [time, at] = [
    columns.findIndex(({ type }) => type === "time"),
    columns.findIndex(({ name }) => name === metric),
  ];
  const groups = new Map<string, Map<number, number>>();
  const instants = new Set<number>();
  for (const row of rows) {
    const [instant, value] = [Date.parse(String(row[time])) / 1000, row[at]];
    if (!Number.isFinite(instant)) continue;
    instants.add(instant);
    const name = columns
      .flatMap(({ type }, i) => (type === "text" ? [String(row[i] ?? "") || "(none)"] : []))
      .join(" · ");
    const group = groups.get(name) ?? new Map<number, number>();
    groups.set(name, group);
    if (typeof value === "number") group.set(instant, value);
  }
  const times = [...instants].sort((a, b) => a - b);
  const sums = addsUp(metric);
  const sized = [...groups].map(([name, values]) => ({
    name: name || metric,
    values,
    size: sums ? [...values.values()].reduce((sum, one) => sum + one, 0) : Math.max(0, ...values.values()),
  }));
  const largest = sized.sort((a, b) => b.size - a.size).slice(0, mostLines);
  return {
    lines: {
      times,
      series: largest.map(({ name, values }, i) => ({
        name,
        color: `--series-${i}`,
        values: times.map((instant) => values.get(instant) ?? (sums ? 0 : null)),
      })),
    },
    sums,
    left: sized.length - largest.length,
  };
};
