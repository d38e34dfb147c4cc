/**
 * A tenant's bucket as a table that the same queries read: ClickHouse reads the Parquet in place. Names of days and sources
 * leave out what cannot have an answer, the objects' own statistics most of the rest.
 */
import type { Outgoing } from "@astralog/chassis";
import {
  archiveColumns,
  archiveFolder,
  otherDay,
  type StorageKeys,
  type StorageSettings,
} from "@astralog/schemas/storage";
import { withPostgres } from "../postgres.ts";
import type { Owner, TableOf, Window } from "../search/scope.ts";
import type { Connections } from "./connections.ts";

export interface Archives {
  /** Faults: `not_found`, `address_refused`, `sealed_unreadable`. */
  open(owner: Owner, id: string): Promise<TableOf>;
}

const dayNs = 86_400_000_000_000n;
/** More are asked for as every day: a pattern has its limits. */
const mostDays = 120n;

/** The days of a window as a pattern. `to` is not in the window. */
export const daysPattern = ({ from, to }: Window, now: number): string => {
  if (from === undefined || from < 0n) return "*";
  // What is dated further ahead than this lies under `other`.
  const end = to ?? BigInt(now) * 1_000_000n + 3n * dayNs;
  const [first, last] = [from / dayNs, (end > from ? end - 1n : from) / dayNs];
  if (last - first >= mostDays) return "*";
  const days = [otherDay];
  for (let day = first; day <= last; day++) days.push(new Date(Number(day) * 86_400_000).toISOString().slice(0, 10));
  return `{${days.join(",")}}`;
};

const tableSql = (
  { settings, keys }: { settings: StorageSettings; keys: StorageKeys },
  folder: string,
  sources: Owner["sources"],
): TableOf => {
  const which = sources === "all" ? "*" : `{${[...sources, "none"].join(",")}}`;
  return (window, bind) => {
    const place = `${settings.endpoint}/${settings.bucket}/${folder}events/day=${daysPattern(window, Date.now())}/source=${which}/*.parquet`;
    return `s3(${bind("String", place)}, ${bind("String", keys.access_key_id)}, ${bind("String", keys.secret_access_key)}, 'Parquet', ${bind("String", archiveColumns)})`;
  };
};

export const createArchives = (deps: { connections: Connections; outgoing: Pick<Outgoing, "judge"> }): Archives => ({
  open: async ({ tenant, sources }, id) => {
    const { row, opened } = await withPostgres(async () => {
      const found = await deps.connections.find(tenant, id);
      return { row: found, opened: await deps.connections.open(found) };
    });
    // ClickHouse resolves the name again: its own network must not reach what ours may not.
    await deps.outgoing.judge(row.endpoint);
    return tableSql(opened, archiveFolder({ prefix: row.prefix, id: row.id }), sources);
  },
});
