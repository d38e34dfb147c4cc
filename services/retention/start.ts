/** Puts retention together: what people decided, the places, and when each is looked through. */
import {
  type Context,
  createControlTable,
  createKafka,
  createPause,
  createPositions,
  createProducer,
  createRegistry,
  createStorage,
  openTakeouts,
  type TableOptions,
} from "@astralog/chassis";
import { encodeRecord, type RecordName, topics } from "@astralog/schemas";
import type { OwnClickHouse } from "@astralog/schemas/own-clickhouse";
import type { StorageConnection } from "@astralog/schemas/storage";
import { createBackupsPlace } from "./backups.ts";
import { createCompaction } from "./bucket-compaction.ts";
import { createBucketFields } from "./bucket-fields.ts";
import { createBucketsPlace, createOpenBuckets } from "./buckets.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createDeadLettersPlace } from "./clickhouse-dead-letters.ts";
import { createEventsPlace } from "./clickhouse-events.ts";
import { createEventFields } from "./clickhouse-fields.ts";
import type { shape } from "./config.ts";
import { createDeletions } from "./deletions.ts";
import { createExportsPlace } from "./exports.ts";
import { createKafkaPlace } from "./kafka-topics.ts";
import { createRetentionMetrics } from "./metrics.ts";
import { createOwnServersPlace } from "./own-servers.ts";
import { archivesOf, createPassage } from "./passage.ts";
import { readPolicies } from "./policies.ts";
import { createRecords } from "./records.ts";
import { createRehydrations } from "./rehydrations.ts";
import { createRemovals } from "./removals.ts";
import { createSweep } from "./sweep.ts";

/** Changes that come together are taken up together. */
const settleMs = 200;
/** How often an open deletion is gone on with. */
const openMs = 500;

export const start = async (context: Context<typeof shape>): Promise<void> => {
  const { config, log, health, metrics: registered, onStop } = context;
  const kafka = createKafka(config, log, "retention");
  const registry = createRegistry(config);
  const clickhouse = connectClickHouse({
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USERNAME,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
  });
  onStop("clickhouse", clickhouse.close);
  const metrics = createRetentionMetrics(registered);

  let sweepAt = 0;
  const between = createPause();
  const changed = (): void => {
    sweepAt = Math.min(sweepAt, Date.now() + settleMs);
    between.wake();
  };
  const table = <N extends RecordName>(
    topic: TableOptions<N>["topic"],
    onChange: NonNullable<TableOptions<N>["onChange"]> = changed,
  ) => createControlTable(kafka, { log, registry }, { principal: "retention", topic, onChange });
  const all = await Promise.all([
    table(topics.retentionRules),
    table(topics.sources),
    table(topics.tenants),
    table(topics.deletions, between.wake),
    table(topics.storage),
    table(topics.archiveState, () => undefined),
    // What ends is swept at once; what begins needs no sweep.
    table(topics.rehydrations, (_, record) => (record === undefined ? changed() : between.wake())),
    table(topics.rehydrationStates, () => undefined),
    table(topics.clickhouse),
  ]);
  const [rules, sources, tenants, deletionTable, storageTable, archiveStates, ...others] = all;
  const [rehydrationTable, rehydrationStates, clickhouseTable] = others;
  onStop("tables", () => Promise.all(all.map((one) => one.close())));
  const known = (): boolean => all.every((one) => one.complete);
  health.require("tables", () => known() || "not all rules and sources have been read yet");

  const positions = createPositions(kafka);
  onStop("positions", positions.close);
  const policies = () => readPolicies({ rules, sources, tenants, log });
  const removals = createRemovals(clickhouse);
  const connections = (): StorageConnection[] =>
    [...storageTable.values()].map(({ definition }) => JSON.parse(definition) as StorageConnection);
  const servers = (): OwnClickHouse[] =>
    [...clickhouseTable.values()].map(({ definition }) => JSON.parse(definition) as OwnClickHouse);
  const storage = createStorage(config);
  const buckets = createOpenBuckets({ storage, clickhouse, connections });
  const compaction = createCompaction({
    ...{ buckets, metrics, log },
    options: {
      ...{ bytes: config.COMPACT_MB * 2 ** 20, objects: config.COMPACT_OBJECTS },
      ageMs: config.COMPACT_AFTER_SECONDS * 1_000,
    },
  });
  const producer = await createProducer(kafka, context, { lingerMs: 5 });
  onStop("producer", producer.close);
  const stateTopic = kafka.name(topics.rehydrationStates.name);
  const rehydrations = createRehydrations({
    ...{ table: rehydrationTable, states: rehydrationStates, buckets, clickhouse, metrics, log },
    tell: async ({ tenant, id }, state) => {
      const record = { tenant, rehydration: id, state: JSON.stringify(state) };
      const value =
        state === null
          ? null
          : encodeRecord("RehydrationState", await registry.idOf("RehydrationState", stateTopic), record);
      await producer.send({ topic: stateTopic, partition: 0, key: Buffer.from(`${tenant}/${id}`), value });
    },
  });
  const places = [
    createEventsPlace({
      ...{ clickhouse, removals, rehydrations, metrics, log },
      settleSeconds: config.SETTLE_SECONDS,
    }),
    createBucketsPlace({ buckets, removals, log }),
    createOwnServersPlace({
      clickhouse,
      servers,
      storage,
      removals,
      metrics,
      log,
      settleSeconds: config.SETTLE_SECONDS,
    }),
    createDeadLettersPlace({ clickhouse, removals, settleSeconds: config.SETTLE_SECONDS }),
    createExportsPlace({ own: openTakeouts(config), buckets, log }),
    createBackupsPlace({ keepDays: config.BACKUP_KEEP_DAYS }),
    createKafkaPlace({ positions, sources: sources.values }),
  ];
  const writtenTo = () => [...connections(), ...servers().map((one) => ({ ...one, archive: one.mode !== "off" }))];
  const records = createRecords(clickhouse);
  const fields = [
    createBucketFields({ buckets, log }),
    createEventFields({ clickhouse, metrics, log, settleSeconds: config.SETTLE_SECONDS }),
  ];
  const sweep = createSweep({ places, fields, records, policies, metrics, log });
  const deletions = createDeletions({
    ...{ table: deletionTable, places, records, policies, metrics, log },
    passage: createPassage({
      ...{ positions, sources: sources.values, redactorGroup: config.REDACTOR_GROUP, sinkGroup: config.SINK_GROUP },
      inFlightMs: config.IN_FLIGHT_MS,
      archives: (tenant) => archivesOf(tenant, writtenTo(), archiveStates.values()),
    }),
  });

  let tookOver = false;
  let failed = "";
  health.require("work", () => failed === "" || failed);
  const turn = async (): Promise<number> => {
    // A rule that has not been read yet would look like one that was taken away.
    if (!known()) return 20;
    if (!tookOver) await rehydrations.takeOver();
    tookOver = true;
    const open = await deletions.advance();
    if (Date.now() >= sweepAt) {
      sweepAt = Number.POSITIVE_INFINITY;
      await sweep();
      await deletions.enforce();
      await rehydrations.settle();
      sweepAt = Math.min(sweepAt, Date.now() + config.SWEEP_SECONDS * 1_000);
      compaction.begin();
    }
    if ((await rehydrations.advance()) || (await compaction.advance())) return 0;
    return Math.max(0, Math.min(sweepAt - Date.now(), rehydrations.rest, open > 0 ? openMs : Number.POSITIVE_INFINITY));
  };
  const work = async (): Promise<void> => {
    for (let failures = 0; !between.stopped; ) {
      try {
        await between.rest(await turn());
        failures = 0;
        failed = "";
      } catch (err) {
        failures += 1;
        failed = "the last sweep failed; it is tried again";
        sweepAt = 0;
        log.warn({ err, failures }, "a sweep failed; it is tried again");
        await between.rest(Math.min(500 * 2 ** failures, 30_000));
      }
    }
  };
  const working = work();
  onStop("work", async () => {
    between.stop();
    // A partition that is being rewritten goes on in the server; whoever starts next waits for it.
    await Promise.race([working, new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
  });
};
