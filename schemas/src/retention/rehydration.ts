/**
 * A range of days that was brought back from a tenant's bucket for a while. What it holds in `events` has a partition of its
 * own, so it can be known among all others, is left alone while it lasts, and goes by dropping that partition: no part of it
 * is ever shared with events of another time. The partition is a day far behind all days of expiry: its slot.
 */
import { parseQuery } from "../query/parse.ts";
import { type Bind, conditionSql } from "../query/sql.ts";

/** 2100-01-01: no event that was stored as it came expires so late. */
const firstSlot = 47_482;
/** How many there are: `Date` ends in 2149. */
export const rehydrationSlots = 17_800;

/** As `toDate` takes it. */
export const partitionOfSlot = (slot: number): number => firstSlot + slot;
/** Undefined for a day of expiry. */
export const slotOfPartition = (expires: number): number | undefined =>
  expires >= firstSlot ? expires - firstSlot : undefined;
/** A condition over `events` that leaves out what was brought back. */
export const notRehydratedSql = `expires_on < toDate(${firstSlot})`;

/** What one request may ask for at most. */
export const rehydrationLimits = { days: 30, range: 92, open: 5, objects: 10_000 } as const;

/** As it stands in control.rehydrations: complete in itself, so that a later rename changes nothing. */
export interface Rehydration {
  readonly tenant: string;
  readonly id: string;
  readonly connection: string;
  readonly slot: number;
  /** Days of the events' own time, YYYY-MM-DD, both included. */
  readonly from: string;
  readonly to: string;
  readonly query: string;
  /** Ids; empty is all of them. */
  readonly sources: readonly string[];
  /** Source ids to names, as the query's names meant them. */
  readonly names: Readonly<Record<string, string>>;
  /** Milliseconds: relative times in the query count from here. */
  readonly asked: number;
  /** The last day on which it is there, YYYY-MM-DD. */
  readonly until: string;
}

export const readRehydration = (record: { definition: string }): Rehydration =>
  JSON.parse(record.definition) as Rehydration;

/** How far one is, as retention says in rehydrations.state. */
export interface RehydrationState {
  readonly slot: number;
  readonly state: "running" | "failing" | "done";
  /** Objects of the bucket: all that may hold something of it, and those that were looked through. */
  readonly objects: number;
  readonly done: number;
  /** Of its events, there now. */
  readonly events: number;
  /** What keeps it from going on; empty when nothing does. */
  readonly problem: string;
  /** The last object that was looked through: who begins again goes on behind it. */
  readonly cursor: string;
  readonly at: string;
}

const dayMs = 86_400_000;

export const daysOfRehydration = ({ from, to }: Pick<Rehydration, "from" | "to">): string[] => {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  return Array.from({ length: Math.max(0, (last - first) / dayMs + 1) }, (_, i) =>
    new Date(first + i * dayMs).toISOString().slice(0, 10),
  );
};

/** What of an archive is meant, as a condition over its rows. Throws QueryError. */
export const rehydrationSql = ({ tenant, from, to, query, sources, names, asked }: Rehydration, bind: Bind): string => {
  const day = (text: string, plus: number): string =>
    `fromUnixTimestamp64Milli(${bind("Int64", Date.parse(text) + plus)}, 'UTC')`;
  const parsed = parseQuery(query, { now: asked });
  return [
    `tenant = ${bind("String", tenant)}`,
    `timestamp >= ${day(from, 0)} AND timestamp < ${day(to, dayMs)}`,
    ...(sources.length === 0 ? [] : [`source IN ${bind("Array(String)", sources)}`]),
    ...(parsed.type === "all" ? [] : [conditionSql(parsed, bind, { sources: new Map(Object.entries(names)) })]),
  ].join(" AND ");
};
