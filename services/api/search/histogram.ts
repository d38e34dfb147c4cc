/** How many events of each level lie in each stretch of time. */
import { type LevelName, levelNames } from "@astralog/schemas";
import { createBinder, parseQuery } from "@astralog/schemas/query/index";
import { minuteLength, minuteSql } from "@astralog/schemas/query/sql-time";
import { isCounted, minutesSql } from "./pipes.ts";
import { type Scope, type Sql, whereSql } from "./scope.ts";

const second = 1_000_000_000n;
const day = 86_400n * second;

/** Stretches that people read easily, in nanoseconds. Each is a whole part of a day, or whole days. */
const steps: readonly bigint[] = [
  ...[1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n].map((millis) => millis * 1_000_000n),
  ...[1n, 2n, 5n, 10n, 15n, 30n, 60n, 120n, 300n, 600n, 900n, 1_800n].map((seconds) => seconds * second),
  ...[1n, 2n, 3n, 6n, 12n, 24n].map((hours) => hours * 3_600n * second),
  ...[2n, 7n, 14n, 28n, 91n, 182n, 364n].map((days) => days * day),
];

/**
 * The shortest stretch that needs no more than `buckets` of it, which are counted from whole multiples since 1970. A time
 * that crosses the border of even the longest stretch needs two, also when one was asked for.
 */
export const stepFor = (from: bigint, to: bigint, buckets: number): bigint => {
  const longest = steps.at(-1) ?? day;
  for (const step of steps) if (floorTo(to - 1n, step) - floorTo(from, step) < BigInt(buckets) * step) return step;
  // One border more than the length says is always enough.
  return longest * ((to - from) / (longest * BigInt(Math.max(1, buckets - 1))) + 1n);
};

export const floorTo = (value: bigint, step: bigint): bigint => value - (((value % step) + step) % step);

export interface HistogramRequest {
  readonly q: string;
  readonly now: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly step: bigint;
}

export type HistogramRow = [bucket: string, band: number, count: string];

/**
 * Whole minutes inside the window are asked for as such where the query allows it, which the server answers from counts;
 * what is left at both ends is counted from the events.
 */
export const histogramSql = (request: HistogramRequest, scope: Scope): Sql => {
  const query = parseQuery(request.q, { now: request.now });
  const { params, bind } = createBinder("s");
  const start = bind("Int64", `${floorTo(request.from, request.step)}`);
  const step = bind("Int64", `${request.step}`);
  const counts = (at: string, where: string): string =>
    `SELECT intDiv(${at} - ${start}, ${step}) AS bucket, intDiv(level + 3, 4) AS band, count() AS n FROM tenant_events WHERE ${where} GROUP BY bucket, band`;
  const events = (from: bigint, to: bigint): string[] =>
    from < to ? [counts("toUnixTimestamp64Nano(timestamp)", whereSql(scope, { from, to }, query, bind))] : [];
  const [first, last] = [-floorTo(-request.from, minuteLength), floorTo(request.to, minuteLength)];
  const minutes = isCounted(query) && request.step % minuteLength === 0n && first >= 0n && first < last;
  const parts = minutes
    ? [
        ...events(request.from, first),
        counts(`${minuteSql} * ${minuteLength}`, minutesSql(scope, { from: first, to: last }, query, bind)),
        ...events(last, request.to),
      ]
    : events(request.from, request.to);
  return {
    query: `SELECT toString(bucket), band, toString(sum(n)) FROM (${parts.join(" UNION ALL ")}) GROUP BY bucket, band`,
    params,
  };
};

/** `unspecified` counts the events without a level. */
export type LevelCounts = Record<LevelName | "unspecified", number>;

export interface Bucket {
  readonly at: bigint;
  readonly counts: LevelCounts;
}

/** Every stretch from `from` to `to`, also the empty ones, oldest first. */
export const histogramBuckets = (request: HistogramRequest, rows: readonly HistogramRow[]): Bucket[] => {
  const first = floorTo(request.from, request.step);
  const count = Number((floorTo(request.to - 1n, request.step) - first) / request.step) + 1;
  const buckets = Array.from({ length: Math.max(0, count) }, (_, i) => ({
    at: first + BigInt(i) * request.step,
    counts: { trace: 0, debug: 0, info: 0, warn: 0, error: 0, fatal: 0, unspecified: 0 },
  }));
  for (const [index, band, events] of rows) {
    const bucket = buckets[Number(index)];
    if (bucket !== undefined) bucket.counts[levelNames[band - 1] ?? "unspecified"] += Number(events);
  }
  return buckets;
};

/**
 * The minute of the oldest event of the scope before `to`: where a histogram without a beginning begins. One row, or
 * none: its nanoseconds, and how many events it has.
 */
export const oldestSql = (scope: Scope, to: bigint): Sql => {
  const { params, bind } = createBinder("s");
  const where = minutesSql(scope, { to: -floorTo(-to, minuteLength) }, { type: "all" }, bind);
  return {
    // Grouped first, because that is what the counts beside the events can answer.
    query: `SELECT toString(minute * ${minuteLength}), toString(n) FROM (
  SELECT ${minuteSql} AS minute, count() AS n FROM tenant_events WHERE ${where} GROUP BY minute
) ORDER BY minute LIMIT 1`,
    params,
  };
};
