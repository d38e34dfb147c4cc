/**
 * The first stage: counts events of the partitions that this process has been given, and says what it counted on
 * alerts.partials. Position and counts are kept together in snapshots, so a process that is killed begins again where the
 * last snapshot stood and says some things twice, which changes nothing: each counter is the whole of its pane so far.
 */
import {
  createPlacedConsumer,
  type InRecord,
  type KafkaAdmin,
  type KafkaClient,
  type Log,
  type RecordProducer,
  type Registry,
  type TopicReader,
} from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import { createHoldings } from "../holdings.ts";
import type { AlerterMetrics } from "../metrics.ts";
import { createChoosers } from "./choose.ts";
import { type Lane, newLane, nextEnd } from "./lane.ts";
import { createEmit } from "./partials.ts";
import { countersOf, keepRules, newPartition, type PartitionState, type Taken, takeRecords } from "./partition.ts";
import { createPositions } from "./positions.ts";
import { lookAtRaw, progress } from "./proof.ts";
import { createBatchReader } from "./read-batch.ts";
import type { CountedRule, Tenants } from "./tenants.ts";

export interface WatcherDeps {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly reader: TopicReader;
  readonly producer: RecordProducer;
  readonly registry: Registry;
  readonly tenants: Tenants;
  readonly metrics: AlerterMetrics;
  readonly log: Log;
  readonly schemaIds: { readonly partials: number; readonly snapshot: number };
  readonly topicPrefix: string;
  readonly redactorGroup: string;
  /** How long a record may be on its way from its receipt to Kafka. */
  readonly inFlightMs: number;
}

export interface Watcher {
  readonly joined: boolean;
  /** Rules or sources changed. */
  changed(): void;
  close(): Promise<void>;
}

const saveEveryMs = 2_000;
const tickMs = 50;
/** The raw ends are asked for when a window is due, and again so long as it is not proven. */
const lookEveryMs = 200;
/** What is not complete is told after so long, and then so often. */
const reportAfterMs = 500;
const reportEveryMs = 2_000;
/** A rule that reaches a partition that is read already looks back so far, at most. */
const lookBackMs = 300_000;

export const createWatcher = async (deps: WatcherDeps): Promise<Watcher> => {
  const { kafka, admin, reader, producer, tenants, metrics, log, inFlightMs, topicPrefix } = deps;
  const cleanTopic = kafka.name(topics.clean.name);
  const positions = createPositions(deps, {
    topic: kafka.name(topics.alertPositions.name),
    schemaId: deps.schemaIds.snapshot,
  });
  const emit = createEmit({
    ...{ producer, log },
    topic: kafka.name(topics.alertPartials.name),
    schemaId: deps.schemaIds.partials,
  });
  const choosers = createChoosers();
  const readBatch = createBatchReader(deps.registry);
  const plainTopic = (topic: string): string =>
    topic.startsWith(topicPrefix) ? topic.slice(topicPrefix.length) : topic;

  const take = async (
    lane: Lane,
    state: PartitionState,
    records: readonly InRecord[],
    byTenant: Lane["byTenant"],
  ): Promise<Taken> => {
    const taken = await takeRecords(state, records, (tenant) => byTenant.get(tenant), readBatch, plainTopic);
    metrics.events.inc(taken.events);
    if (taken.late > 0) metrics.late.inc(taken.late);
    if (taken.matches.length > 0) await emit(lane, state, { matches: taken.matches }, false);
    return taken;
  };

  /** Where the partition stood at an instant: every record that was received from then on lies behind it. */
  const offsetAt = async (partition: number, at: number): Promise<number> => {
    const found = await admin.fetchTopicOffsetsByTimestamp(cleanTopic, at);
    return Number(found.find((one) => one.partition === partition)?.offset ?? 0);
  };

  /** Takes up the rules as they are now: a new one is shown what came since it is in force. */
  const settle = async (lane: Lane): Promise<void> => {
    const wanted = tenants.rulesIn(lane.partition);
    if (wanted.length === 0) {
      delete lane.state;
      lane.rules = [];
      lane.reading = false;
      consumer.rest(lane.partition);
      return;
    }
    const known = new Set(lane.rules.map(({ active }) => active));
    const fresh = wanted.filter(({ active }) => !known.has(active));
    let { state } = lane;
    if (state !== undefined && lane.reading && fresh.length === 0 && wanted.length === lane.rules.length) return;
    if (state === undefined) {
      const since = Math.min(...fresh.map(({ active }) => active.effectiveFrom));
      state = newPartition(await offsetAt(lane.partition, since));
      lane.state = state;
    } else {
      keepRules(state, wanted);
      const begun = fresh.filter(({ active }) => state?.rules.get(active.key) === undefined);
      if (begun.length > 0) {
        const from = await offsetAt(
          lane.partition,
          Math.max(Math.min(...begun.map(({ active }) => active.effectiveFrom)), Date.now() - lookBackMs),
        );
        await catchUp(lane, state, begun, from);
      }
    }
    lane.rules = wanted;
    lane.byTenant = choosers.byTenant(wanted);
    for (const { active } of wanted)
      if (!state.rules.has(active.key)) state.rules.set(active.key, { version: active.version, lanes: new Map() });
    const admitted = wanted.map(({ active }) => ({ rule: active.key, version: active.version }));
    await emit(lane, state, { admitted }, false);
    if (lane.lost) return;
    consumer.place(lane.partition, state.next);
    lane.reading = true;
  };

  const catchUp = async (lane: Lane, state: PartitionState, rules: readonly CountedRule[], from: number) => {
    if (from >= state.next) return;
    const behind = newPartition(from);
    behind.watermark = state.watermark;
    const byTenant = choosers.byTenant(rules);
    await reader.read({ topic: cleanTopic, partition: lane.partition, from, to: state.next }, async (records) => {
      await take(lane, behind, records, byTenant);
    });
    for (const [key, counts] of behind.rules) state.rules.set(key, counts);
  };

  const load = async (lane: Lane): Promise<void> => {
    delete lane.state;
    lane.rules = [];
    const wanted = tenants.rulesIn(lane.partition);
    if (wanted.length > 0) {
      const state = await positions.read(lane.partition);
      // One that knows none of today's rules would only make us read what nobody asks for.
      if (state !== undefined && wanted.some(({ active }) => state.rules.get(active.key)?.version === active.version)) {
        lane.state = state;
        // In force when it was written, so they need not be shown what came before it.
        lane.rules = wanted.filter(({ active }) => state.rules.get(active.key)?.version === active.version);
      }
    }
    await settle(lane);
  };

  /** If what was seen has come through, all that ended by then is told. */
  const prove = async (lane: Lane): Promise<void> => {
    const { state, waiting } = lane;
    if (state === undefined || waiting === undefined) return;
    const { complete, seen, known } = progress(waiting, tenants.lanesOf(lane.partition), {
      partition: lane.partition,
      next: state.next,
      taken: state.lanes,
      since: lane.proven?.ends,
    });
    const parts = { seen: BigInt(seen), known: BigInt(known) };
    if (complete) {
      delete lane.waiting;
      lane.proven = waiting;
      state.watermark = Math.max(state.watermark, waiting.at - inFlightMs);
      const counters = countersOf(state, lane.rules, state.watermark);
      metrics.lag.set({ partition: String(lane.partition) }, 0);
      await emit(lane, state, { ...parts, counters }, true);
      lane.reportedAt = Date.now();
    } else if (Date.now() - waiting.at > reportAfterMs && Date.now() - lane.reportedAt > reportEveryMs) {
      metrics.lag.set({ partition: String(lane.partition) }, (Date.now() - waiting.at) / 1_000);
      lane.reportedAt = Date.now();
      await emit(lane, state, { ...parts, counters: countersOf(state, lane.rules, state.watermark, true) }, true);
    }
  };

  const lanes = createHoldings<Lane>({
    log,
    failure: "the partition begins again from its snapshot",
    begin: newLane,
    load,
    // Something may have been counted and not told.
    reset: (lane) => {
      delete lane.state;
      lane.rules = [];
      lane.reading = false;
    },
    place: (partition, offset) => consumer.place(partition, offset),
  });
  const consumer = createPlacedConsumer(
    kafka,
    { log },
    {
      group: "alerter",
      topic: cleanTopic,
      // As for the redactor: a longer wait would keep an alert from being told.
      maxWaitMs: 50,
      onAssigned: lanes.assign,
      onLost: lanes.lose,
      handle: async ({ partition, records, current }) => {
        const lane = lanes.get(partition);
        if (lane === undefined) return;
        await lanes.run(lane, async () => {
          const { state } = lane;
          const [first] = records;
          if (state === undefined || first === undefined || !current()) return;
          if (lanes.isAhead(lane, state.next, first.offset)) return;
          await take(lane, state, records, lane.byTenant);
          await prove(lane);
        });
      },
    },
  );

  await consumer.start();

  let looking = false;
  let lookedAt = 0;
  const look = async (): Promise<void> => {
    const due = [...lanes.values()].filter(
      (lane) => lane.state !== undefined && nextEnd(lane) <= Date.now() - inFlightMs,
    );
    if (due.length === 0) return;
    const unproven = due.some(
      ({ partition, state, waiting }) =>
        waiting !== undefined ||
        tenants.lanesOf(partition).some((name) => state !== undefined && !state.lanes.has(name)),
    );
    lookedAt = Date.now();
    const sight = await lookAtRaw(kafka, admin, {
      lanes: [...new Set(due.flatMap(({ partition }) => tenants.lanesOf(partition)))],
      group: deps.redactorGroup,
      unseen: unproven,
    });
    for (const lane of due) {
      // The older one is what a window waits for; where nothing was seen before, only the newer one can tell.
      const older = lane.waiting;
      lane.waiting = older === undefined ? sight : { ...sight, at: older.at, ends: older.ends };
      void lanes.run(lane, () => prove(lane));
    }
  };
  const timer = setInterval(() => {
    for (const lane of lanes.values())
      if (lane.state !== undefined && Date.now() - lane.savedAt > saveEveryMs) {
        lane.savedAt = Date.now();
        void lanes.run(lane, () => positions.save(lane));
      }
    if (looking || Date.now() - lookedAt < lookEveryMs) return;
    looking = true;
    look()
      .catch((error) => log.warn({ err: error }, "how far the raw topics go cannot be said yet"))
      .finally(() => {
        looking = false;
      });
  }, tickMs);

  return {
    get joined() {
      return consumer.joined;
    },
    changed: () => {
      choosers.forget();
      for (const lane of lanes.values())
        void lanes.run(lane, () => (lane.state === undefined ? load(lane) : settle(lane)));
    },
    close: async () => {
      clearInterval(timer);
      await lanes.finish(positions.save);
      await consumer.close();
      lanes.lose();
    },
  };
};
