/** Days of usage as bars: every day is there, each bar in the order of the sources, the largest source first. */
export interface Day {
  readonly day: string;
  readonly source: string;
  readonly name: string;
  readonly events: number;
  readonly bytes: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly redacted: Readonly<Record<string, number>>;
}

export interface SourceSum {
  readonly source: string;
  readonly name: string;
  readonly value: number;
  readonly dropped: number;
  readonly redacted: number;
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((all, count) => all + count, 0);
const dayMs = 86_400_000;

export const seriesOf = (usage: { from: string; to: string; days: readonly Day[] }, by: "bytes" | "events") => {
  const sources = [...Map.groupBy(usage.days, ({ source }) => source)]
    .map(
      ([source, rows]): SourceSum => ({
        source,
        name: rows[0]?.name ?? "",
        value: rows.reduce((all, row) => all + row[by], 0),
        dropped: rows.reduce((all, { dropped }) => all + sum(dropped), 0),
        redacted: rows.reduce((all, { redacted }) => all + sum(redacted), 0),
      }),
    )
    .sort((a, b) => b.value - a.value || (a.source < b.source ? -1 : 1));
  const known = new Map(usage.days.map((row) => [`${row.day}/${row.source}`, row[by]]));
  const count = Math.round((Date.parse(usage.to) - Date.parse(usage.from)) / dayMs) + 1;
  const days = Array.from({ length: count }, (_, i) => {
    const day = new Date(Date.parse(usage.from) + i * dayMs).toISOString().slice(0, 10);
    const parts = sources.map(({ source }) => ({ source, value: known.get(`${day}/${source}`) ?? 0 }));
    return { day, parts, sum: parts.reduce((all, { value }) => all + value, 0) };
  });
  return {
    days,
    sources,
    most: Math.max(1, ...days.map((one) => one.sum)),
    total: sources.reduce((all, { value }) => all + value, 0),
  };
};
