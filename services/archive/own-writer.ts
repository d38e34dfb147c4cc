/**
 * Writes one tenant's events into a ClickHouse of its own, as the sink writes into Astralog's and by the same law: what is
 * stored there is what its own ledger says. The connection is a consumer group of its own, so while the server is away its
 * events wait in Kafka, and nobody else's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  consume,
  createRemoteClickHouse,
  createStoring,
  type GroupConsumer,
  type KafkaClient,
  type Log,
  type Registry,
  remoteSettings,
  remoteTrouble,
  type Storage,
  type StoreMetrics,
} from "@astralog/chassis";
import { migrateOwn } from "@astralog/schemas/clickhouse";
import type { OwnClickHouse } from "@astralog/schemas/own-clickhouse";
import type { ArchiveState } from "@astralog/schemas/storage";
import type { ArchiveMetrics } from "./metrics.ts";
import type { StateTeller } from "./state.ts";

export interface OwnWriterDeps {
  readonly kafka: KafkaClient;
  readonly registry: Registry;
  readonly metrics: ArchiveMetrics;
  readonly storeMetrics: StoreMetrics;
  readonly log: Log;
  readonly storage: Storage;
  readonly connection: OwnClickHouse;
  readonly states: StateTeller;
  /** The ends of events.clean, by partition. */
  ends(): Promise<ReadonlyMap<number, number>>;
  /** Where a group would read on, by partition of events.clean. */
  positions(group: string): Promise<ReadonlyMap<number, number>>;
  readonly windowMs: number;
}

const flushEvents = 100_000;
/** Each insert is a part that is synced, and several requests to a server that may be far away. */
const flushMs = 500;
const dedupIds = 100_000;
const tickMs = 1_000;
const longestPauseMs = 30_000;

type Problem = NonNullable<ArchiveState["problem"]>;
type Total = ArchiveState["total"];

export const startOwnWriter = (deps: OwnWriterDeps): Promise<{ close(): Promise<void> }> => {
  const { kafka, metrics, storage, connection } = deps;
  const { tenant, id } = connection;
  const log = deps.log.child({ connection: id });
  const group = `archive.${id}`;
  const server = createRemoteClickHouse(
    storage.outgoing,
    { ...connection, password: storage.passwordOf(connection) },
    remoteSettings(connection),
  );
  const done = new Map<number, number>();
  const totals = new Map<number, { total: Total; at: string | null }>();
  /** Of single partitions, and of the server. */
  const problems = new Map<number, Problem>();
  let trouble: Problem | null = null;
  let partitions: readonly number[] = [];
  let generation = 0;
  let closed = false;
  let consumer: GroupConsumer | undefined;

  const asProblem = (error: unknown, before: Problem | null | undefined): Problem => {
    const told = remoteTrouble(error);
    metrics.failures.inc({ code: told.code });
    return { ...told, since: before?.since ?? new Date().toISOString() };
  };

  const setTrouble = (error: unknown): void => {
    trouble = error === undefined ? null : asProblem(error, trouble);
    metrics.failing.set({ connection: id }, trouble === null ? 0 : 1);
  };

  const storing = createStoring({
    ...{ clickhouse: server, kafka, registry: deps.registry, metrics: deps.storeMetrics, log },
    ...{ flushEvents, flushMs, dedupIds, windowMs: deps.windowMs },
    scope: tenant,
    take: (record) => record.kind === "batch" && record.tenant === tenant,
    told: {
      trouble: setTrouble,
      stored: (rows) => {
        for (const { partition, stored, bytes } of rows) {
          const { total } = totals.get(partition) ?? { total: { objects: 0, events: 0, bytes: 0 } };
          totals.set(partition, {
            total: { objects: total.objects + 1, events: total.events + stored, bytes: total.bytes + bytes },
            at: new Date().toISOString(),
          });
        }
      },
    },
  });

  /** What the server's own ledger has, and where the group goes on. */
  const look = async (mine: number): Promise<void> => {
    const positions = await deps.positions(group);
    if (mine !== generation) return;
    for (const partition of partitions) if (!done.has(partition)) done.set(partition, positions.get(partition) ?? 0);
    const rows = await server.rows<{ p: number; rows: number; events: number; bytes: number; at: number }>(
      `SELECT clean_partition AS p, count() AS rows, sum(stored) AS events, sum(bytes) AS bytes,
         toUnixTimestamp64Milli(max(inserted_at)) AS at
       FROM batches FINAL WHERE clean_topic = {scope:String} AND tenant = {tenant:String} GROUP BY p`,
      { scope: storing.scope, tenant },
    );
    if (mine !== generation) return;
    for (const row of rows)
      totals.set(row.p, {
        total: { objects: row.rows, events: row.events, bytes: row.bytes },
        at: new Date(row.at).toISOString(),
      });
  };

  /** Once for each assignment, before anything is stored under it: else what is counted here could be counted twice. */
  let looking: Promise<void> | undefined;
  const looked = (): Promise<void> => {
    looking ??= look(generation).catch((error: unknown) => {
      looking = undefined;
      throw error;
    });
    return looking;
  };

  const prepare = async (): Promise<void> => {
    const command = (sql: string) => server.command(sql, {});
    const applied = await migrateOwn({ command, rows: (sql) => server.rows(sql, {}) }, connection);
    if (applied.length > 0) log.info({ applied }, "the tables of a customer's ClickHouse are this version's");
    setTrouble(undefined);
  };

  const join = (): Promise<GroupConsumer> =>
    consume(
      kafka,
      { log },
      {
        ...{ group, topics: [storing.topic], partitionsAtOnce: 64, maxWaitMs: 500 },
        onAssigned: (_, assigned) => {
          generation++;
          partitions = assigned.map(({ partition }) => partition);
          for (const kept of [done, totals, problems]) kept.clear();
          storing.assign(assigned);
          looking = undefined;
          looked().catch((err: unknown) => log.debug({ err }, "what is stored could not be asked"));
        },
        handle: async (delivery) => {
          const { partition, records } = delivery;
          try {
            await looked();
            await storing.handle(delivery);
          } catch (error) {
            if (delivery.current() && !closed) problems.set(partition, asProblem(error, problems.get(partition)));
            throw error;
          }
          problems.delete(partition);
          done.set(partition, (records.at(-1)?.offset ?? -1) + 1);
        },
      },
    );

  const begin = async (): Promise<void> => {
    for (let tries = 0; !closed; tries++) {
      try {
        await prepare();
        consumer = await join();
        if (closed) await consumer.close();
        return;
      } catch (error) {
        setTrouble(error);
        const pauseMs = Math.min(longestPauseMs, 500 * 2 ** Math.min(tries, 10));
        log.warn({ err: error, code: trouble?.code, pause_ms: pauseMs }, "a customer's ClickHouse could not be begun");
        // What waits can be seen all the same.
        const positions = await deps.positions(group).catch(() => new Map<number, number>());
        if (partitions.length === 0) for (const [partition, at] of positions) done.set(partition, at);
        await sleep(pauseMs, undefined, { ref: false });
      }
    }
  };

  const tell = (ends: ReadonlyMap<number, number>): void => {
    let lag = 0;
    for (const partition of partitions.length === 0 && trouble !== null ? done.keys() : partitions) {
      const { total = { objects: 0, events: 0, bytes: 0 }, at = null } = totals.get(partition) ?? {};
      const reached = done.get(partition);
      const behind = reached === undefined ? 0 : Math.max(0, (ends.get(partition) ?? 0) - reached);
      lag += behind;
      deps.states.tell(partition, {
        ...{ done: reached ?? 0, lag: behind, total, last_object_at: at },
        problem: problems.get(partition) ?? trouble,
      });
    }
    metrics.lag.set({ connection: id }, lag);
  };
  let ends: ReadonlyMap<number, number> = new Map();
  let ticks = 0;
  const timer = setInterval(() => {
    if (ticks++ % 5 === 0)
      deps.ends().then(
        (found) => {
          ends = found;
        },
        (err: unknown) => log.debug({ err }, "the lag could not be measured"),
      );
    tell(ends);
  }, tickMs);
  setTrouble(undefined);
  void begin();

  return Promise.resolve({
    close: async (): Promise<void> => {
      closed = true;
      clearInterval(timer);
      storing.stopRetrying();
      // A server that does not answer is not waited for: what it did is asked when somebody begins here again.
      await Promise.race([consumer?.close() ?? Promise.resolve(), sleep(15_000, undefined, { ref: false })]);
      metrics.lag.remove({ connection: id });
      metrics.failing.remove({ connection: id });
    },
  });
};
