/** Runs a rule over what is stored. */
import { Fault } from "@astralog/chassis";
import { type EventAt, formatEventId } from "@astralog/schemas";
import { type Backtest, createBacktest, type Rule, type RuleVersion } from "@astralog/schemas/alerts/index";
import type { ClickHouseQueries } from "../../search/clickhouse-query.ts";
import { type EventRow, positionOf } from "../../search/event-rows.ts";
import type { Scope } from "../../search/scope.ts";
import { re2Test } from "../../tail/tail-matcher.ts";
import { rowsSql, type Stretch } from "./backtest-sql.ts";

export interface BacktestDeps {
  readonly queries: Pick<ClickHouseQueries, "forTenant">;
  readonly searchSeconds: number;
}

export const maxBacktestEvents = 1_000_000;
const page = 50_000;

const pairsOf = (keys: readonly string[], values: readonly string[]): string[] =>
  keys.flatMap((key, i) => [key, values[i] ?? ""]);

/** Faults: `query_too_expensive` beyond the limit, and those of a query. */
export const runBacktest = async (
  { queries, searchSeconds }: BacktestDeps,
  {
    version,
    rule,
    stretch,
    scope,
    signal,
  }: {
    readonly version: RuleVersion;
    readonly rule: Rule;
    readonly stretch: Stretch;
    readonly scope: Scope;
    readonly signal: AbortSignal;
  },
): Promise<{ backtest: Backtest; events: number }> => {
  const backtest = createBacktest(version, rule, stretch, { sources: scope.names.sources, regex: re2Test });
  let after: EventAt | undefined;
  let events = 0;
  for (;;) {
    const sql = rowsSql(rule, stretch, scope, after, page);
    const { rows } = await queries.forTenant<EventRow>(scope.tenant, sql, {
      name: "backtest",
      seconds: searchSeconds,
      signal,
    });
    for (const row of rows) {
      const at = positionOf(row, scope.topicPrefix);
      const nanoseconds = BigInt(row[0]);
      const nanos = Number(((nanoseconds % 1_000_000n) + 1_000_000n) % 1_000_000n);
      backtest.add({
        lane: `${at.topic}/${at.partition}`,
        receivedAt: Number(row[1]),
        id: () => formatEventId(at),
        event: {
          millis: Number((nanoseconds - BigInt(nanos)) / 1_000_000n),
          nanos,
          ...{ level: row[2], source: row[3], service: row[4], host: row[5], message: row[6] },
          ...{ trace_id: row[7], span_id: row[8], attribute_types: row[9] },
          attributes: pairsOf(row[10], row[11]),
        },
      });
      after = at;
    }
    events += rows.length;
    if (rows.length < page) return { backtest, events };
    if (events >= maxBacktestEvents)
      throw new Fault(
        "query_too_expensive",
        `More than ${maxBacktestEvents.toLocaleString("en")} events match, which is the limit of one back-test. Choose fewer days, or add a field such as service: to the query.`,
      );
  }
};
