/** What a deletion is about, as it goes to whoever removes: complete in itself, so that a later rename changes nothing. */
import { parseQuery } from "../query/parse.ts";
import { type Bind, conditionSql } from "../query/sql.ts";

export const deletionKinds = ["query", "source", "organization"] as const;
export type DeletionKind = (typeof deletionKinds)[number];

export interface DeletionScope {
  readonly kind: DeletionKind;
  /** Ids; empty is all of the organization. */
  readonly sources: readonly string[];
  readonly query: string;
  /** Of the events' own time, nanoseconds since the epoch; null is open. */
  readonly from: string | null;
  readonly to: string | null;
  /** Milliseconds: what was received before is deleted. Relative times in the query count from here, too. */
  readonly cut: number;
  /** Source ids to names, as the query's names meant them. */
  readonly names: Readonly<Record<string, string>>;
}

export interface Deletion extends DeletionScope {
  readonly tenant: string;
  readonly id: string;
}

/** In the order in which they are worked through. */
export const places = [
  "events",
  "buckets",
  "clickhouse",
  "dead_letters",
  "alerts",
  "exports",
  "backups",
  "kafka",
] as const;
export type PlaceName = (typeof places)[number];

const instant = (bind: Bind, millis: number): string => `fromUnixTimestamp64Milli(${bind("Int64", millis)}, 'UTC')`;

/** Whose records they are, and until when: what every place can be asked for. */
const ownerSql = ({ tenant, sources, cut }: Deletion, time: string, bind: Bind): string =>
  [
    `tenant = ${bind("String", tenant)}`,
    ...(sources.length === 0 ? [] : [`source IN ${bind("Array(String)", sources)}`]),
    // A receiver's clock may be ahead: what was stored in a second before the cut's was received before it.
    `(${time} < ${instant(bind, cut)} OR inserted_at < ${instant(bind, Math.floor(cut / 1000) * 1000)})`,
  ].join(" AND ");

/** A condition over `events`. Throws QueryError. */
export const deletionSql = (deletion: Deletion, bind: Bind): string =>
  [ownerSql(deletion, "received_at", bind), ...whatSql(deletion, bind)].join(" AND ");

/**
 * A condition over archived events, which do not say when they were stored. What a receiver whose clock was ahead stamped
 * after the cut is known from `removals`, where the table's removal wrote it down.
 */
export const archivedDeletionSql = (deletion: Deletion, bind: Bind): string => {
  const { tenant, id, sources, cut } = deletion;
  const owner = bind("String", tenant);
  return [
    `tenant = ${owner}`,
    ...(sources.length === 0 ? [] : [`source IN ${bind("Array(String)", sources)}`]),
    `(received_at < ${instant(bind, cut)} OR (topic, partition, offset) IN (
      SELECT topic, partition, offset FROM removals WHERE tenant = ${owner} AND removal = ${bind("String", id)}))`,
    ...whatSql(deletion, bind),
  ].join(" AND ");
};

/** What of it: the events' own time, and what the query finds. */
const whatSql = ({ query, from, to, cut, names }: Deletion, bind: Bind): string[] => {
  const eventTime = (at: string): string => `fromUnixTimestamp64Nano(${bind("Int64", at)}, 'UTC')`;
  const parsed = parseQuery(query, { now: cut });
  return [
    ...(from === null ? [] : [`timestamp >= ${eventTime(from)}`]),
    ...(to === null ? [] : [`timestamp < ${eventTime(to)}`]),
    ...(parsed.type === "all" ? [] : [conditionSql(parsed, bind, { sources: new Map(Object.entries(names)) })]),
  ];
};

/** A condition over `dead_letters`. Their payload cannot be read, so all that may be in the scope is. */
export const deadDeletionSql = (deletion: Deletion, bind: Bind): string => ownerSql(deletion, "died_at", bind);

export const readDeletion = (record: { tenant: string; deletion: string; definition: string }): Deletion => ({
  ...(JSON.parse(record.definition) as DeletionScope),
  tenant: record.tenant,
  id: record.deletion,
});
