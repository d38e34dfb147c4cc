/**
 * Brings ranges of days back from tenants' buckets, a few objects at a time. What is there already, and what a deletion has
 * removed, is left out by its coordinates, and so is what the ledger does not know: so each step can be cut anywhere and done
 * again, and a bucket cannot make up events. What has come lies in partitions of its own (schemas/src/retention/rehydration.ts).
 */
import { type ArchivedObject, type ControlTable, Fault, type Log, listArchive } from "@astralog/chassis";
import type { RehydrationRecord, RehydrationStateRecord } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import {
  dayNumber,
  daysOfRehydration,
  dayText,
  partitionOfSlot,
  type Rehydration,
  type RehydrationState,
  readRehydration,
  rehydrationLimits,
  rehydrationSql,
  slotOfPartition,
} from "@astralog/schemas/retention/index";
import type { From } from "./bucket-events.ts";
import { type OpenBucket, piecesOf } from "./buckets.ts";
import { type ClickHouse, isRunning } from "./clickhouse.ts";
import type { RetentionMetrics } from "./metrics.ts";

/** What a partition of `events` is, among those of rehydrations. */
export type PartitionKind = "live" | "ended" | "unknown";

export interface Rehydrations {
  /** Undefined for a partition of what was stored as it came. */
  kindOf(expires: number): PartitionKind | undefined;
  /** Something of the tenant's has gone from the table: what is to be there is looked through again. */
  again(tenant: string): void;
  /** Ends what another process of this service had begun and the server still goes on with. */
  takeOver(): Promise<void>;
  /** Goes one step on. False when there is nothing to do now. */
  advance(): Promise<boolean>;
  /** Milliseconds until what could not go on is tried again. */
  readonly rest: number;
  /** Forgets those of which nothing is left. */
  settle(): Promise<void>;
}

interface Run {
  finished: boolean;
  cursor: string;
  objects: ArchivedObject[] | undefined;
  failures: number;
  againAt: number;
}

const againMs = 5_000;
const longestMs = 300_000;
const queryId = (id: string): string => `rehydrate:${id}`;

interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly from: string;
  readonly to: string;
}

export const createRehydrations = (deps: {
  table: Pick<ControlTable<RehydrationRecord>, "values">;
  states: Pick<ControlTable<RehydrationStateRecord>, "get" | "values">;
  buckets(): OpenBucket[];
  clickhouse: ClickHouse;
  /** Null: nothing of it is left. */
  tell(of: Pick<Rehydration, "tenant" | "id">, state: RehydrationState | null): Promise<void>;
  metrics: RetentionMetrics;
  log: Log;
}): Rehydrations => {
  const { table, states, clickhouse, metrics, log } = deps;
  const runs = new Map<string, Run>();

  const today = (): string => dayText(dayNumber(Date.now()));
  const live = (): Rehydration[] => [...table.values()].map(readRehydration).filter(({ until }) => until >= today());
  const stateOf = ({ tenant, id }: Pick<Rehydration, "tenant" | "id">): RehydrationState | undefined => {
    const record = states.get(`${tenant}/${id}`);
    return record === undefined ? undefined : (JSON.parse(record.state) as RehydrationState);
  };

  const runOf = (one: Rehydration): Run => {
    const known = runs.get(one.id);
    if (known !== undefined) return known;
    const state = stateOf(one);
    const finished = state?.state === "done" && state.at.slice(0, 10) === today();
    const cursor = state === undefined || state.state === "done" ? "" : state.cursor;
    const run: Run = { finished, cursor, objects: undefined, failures: 0, againAt: 0 };
    runs.set(one.id, run);
    return run;
  };

  const eventsIn = async (slot: number): Promise<number> => {
    const [row] = await clickhouse.rows<{ n: number }>(
      `SELECT count() AS n FROM events WHERE expires_on = toDate(${partitionOfSlot(slot)})`,
    );
    return row?.n ?? 0;
  };

  const tell = async (one: Rehydration, run: Run, state: RehydrationState["state"], problem = ""): Promise<void> => {
    const { objects = [], cursor } = run;
    const before = stateOf(one);
    await deps.tell(one, {
      ...{ slot: one.slot, state, problem, cursor, at: new Date().toISOString() },
      objects: run.objects === undefined ? (before?.objects ?? 0) : objects.length,
      done: run.objects === undefined ? (before?.done ?? 0) : objects.filter(({ name }) => name <= cursor).length,
      events: await eventsIn(one.slot),
    });
  };

  /** What of these objects is meant and neither there nor removed for good, once. */
  const insert = async (one: Rehydration, { sql: from, params: access, sent }: From): Promise<void> => {
    const { params, bind } = createBinder("r");
    const meant = rehydrationSql(one, bind);
    const all = { ...params, ...access };
    const ranges = await clickhouse.rows<Range>(
      `SELECT topic, partition, min(offset) AS first, max(offset) AS last,
         toString(toUnixTimestamp64Nano(min(timestamp))) AS from, toString(toUnixTimestamp64Nano(max(timestamp))) AS to
       FROM ${from} WHERE ${meant} GROUP BY topic, partition`,
      all,
      sent,
    );
    if (ranges.length === 0) return;
    const { params: more, bind: bound } = createBinder("w");
    const within = ranges
      .map(
        ({ topic, partition, first, last }) =>
          `(topic = ${bound("String", topic)} AND partition = ${partition} AND offset BETWEEN ${first} AND ${last})`,
      )
      .join(" OR ");
    const mine = `tenant = ${bound("String", one.tenant)} AND (${within})`;
    const instants = ranges.flatMap(({ from: first, to: last }) => [BigInt(first), BigInt(last)]);
    instants.sort((one, other) => (one < other ? -1 : 1));
    const [oldest, newest] = [instants[0], instants.at(-1)].map(
      (at) => `fromUnixTimestamp64Nano(${bound("Int64", `${at}`)}, 'UTC')`,
    );
    await clickhouse.command(
      `INSERT INTO events (tenant, source, timestamp, received_at, expires_on, level, service, host, message, trace_id, span_id,
         attribute_types, attributes, topic, partition, offset, idx, inserted_at)
       SELECT tenant, source, timestamp, received_at, toDate(${partitionOfSlot(one.slot)}), level, service, host, message,
         trace_id, span_id, attribute_types, attributes, topic, partition, offset, idx, now()
       FROM (SELECT * FROM ${from} WHERE ${meant}) AS archived
       INNER JOIN (
         SELECT topic, partition, offset, source, max(accepted) AS accepted FROM batches WHERE ${mine} GROUP BY ALL
       ) AS ledger USING (topic, partition, offset, source)
       WHERE idx < accepted
         AND (topic, partition, offset, idx) NOT IN (
           SELECT topic, partition, offset, idx FROM events WHERE timestamp BETWEEN ${oldest} AND ${newest} AND ${mine})
         AND (topic, partition, offset, idx) NOT IN (
           SELECT topic, partition, offset, arrayJoin(bitmapToArray(groupBitmapMergeState(indexes))) FROM removals
           WHERE match(removal, '^(bucket:)?del_') AND ${mine} GROUP BY topic, partition, offset)
       LIMIT 1 BY topic, partition, offset, idx`,
      { ...all, ...more },
      { id: queryId(one.id), sent },
    );
  };

  const step = async (one: Rehydration, run: Run): Promise<void> => {
    const opened = deps.buckets().find(({ connection }) => connection.id === one.connection);
    if (opened?.connection.tenant !== one.tenant)
      throw new Fault("storage_failed", "The bucket is not connected any more; what has come stays until its day.");
    run.objects ??= await listArchive(opened.bucket, {
      ...{ days: daysOfRehydration(one), most: rehydrationLimits.objects },
      sources: one.sources.length === 0 ? "all" : new Set(one.sources),
    });
    const [piece] = piecesOf(
      run.objects.filter(({ name }) => name > run.cursor),
      opened.mostBytes,
    );
    if (piece === undefined) {
      run.finished = true;
      await tell(one, run, "done");
      log.info({ rehydration: one.id, tenant: one.tenant }, "what was asked for is back from the bucket");
      run.objects = undefined;
      return;
    }
    const names = piece.map(({ name }) => name);
    await opened.events.each(names, (from) => insert(one, from));
    run.cursor = piece.at(-1)?.name ?? run.cursor;
    run.failures = 0;
    metrics.rehydrated.inc(piece.length);
    await tell(one, run, "running");
  };

  return {
    kindOf: (expires) => {
      const slot = slotOfPartition(expires);
      if (slot === undefined) return undefined;
      if (live().some((one) => one.slot === slot)) return "live";
      const known = [...states.values()].some(({ state }) => (JSON.parse(state) as RehydrationState).slot === slot);
      return known ? "ended" : "unknown";
    },
    again: (tenant) => {
      for (const one of live())
        if (one.tenant === tenant)
          runs.set(one.id, { ...runOf(one), finished: false, cursor: "", objects: undefined, againAt: 0 });
    },
    takeOver: async () => {
      const ids = [...table.values(), ...states.values()].map(({ rehydration }) => queryId(rehydration));
      if (ids.length > 0) await clickhouse.command("KILL QUERY WHERE query_id IN {ids:Array(String)} SYNC", { ids });
    },
    advance: async () => {
      const mine = live();
      const ids = new Set(mine.map(({ id }) => id));
      for (const id of runs.keys()) if (!ids.has(id)) runs.delete(id);
      const next = mine.find((one) => !runOf(one).finished && runOf(one).againAt <= Date.now());
      if (next === undefined) return false;
      const run = runOf(next);
      try {
        await step(next, run);
      } catch (error) {
        // Names may have changed, by compaction or a deletion.
        run.objects = undefined;
        run.againAt = Date.now() + Math.min(againMs * 2 ** run.failures, longestMs);
        run.failures += 1;
        if (isRunning(error)) return true;
        const problem = error instanceof Fault ? error.message : "Our storage could not take it; it is tried again.";
        log.warn({ err: error, rehydration: next.id }, "a rehydration could not go on; it is tried again");
        await tell(next, run, "failing", problem);
      }
      return true;
    },
    get rest() {
      const waiting = live().flatMap((one) => (runOf(one).finished ? [] : [runOf(one).againAt]));
      return Math.max(0, Math.min(...waiting) - Date.now());
    },
    settle: async () => {
      const ids = new Set(live().map(({ id }) => id));
      for (const { tenant, rehydration: id, state } of states.values()) {
        const { slot } = JSON.parse(state) as RehydrationState;
        if (!ids.has(id) && (await eventsIn(slot)) === 0) await deps.tell({ tenant, id }, null);
      }
    },
  };
};
