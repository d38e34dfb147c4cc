/**
 * The second stage: puts the parts of all partitions together, judges what is complete, and writes each change to
 * alerts.transitions once. State and position are kept together in snapshots. Whoever takes a partition over reads what has
 * been written since the snapshot, judges the same again, and leaves out what is there: ids are the same.
 */
import {
  createPlacedConsumer,
  type InRecord,
  type KafkaAdmin,
  type KafkaClient,
  type Log,
  type RecordProducer,
  type TopicReader,
} from "@astralog/chassis";
import { type AlertTransition, decodeRecord, schemaIdOf, topics } from "@astralog/schemas";
import { changeTransition, rulePartition, spanMs } from "@astralog/schemas/alerts/index";
import { createHoldings } from "../holdings.ts";
import type { AlerterMetrics } from "../metrics.ts";
import type { Rules } from "../rules.ts";
import { type Bench, completenessOf, newBench, watermarkOf } from "./bench.ts";
import { markTransition } from "./of-rule.ts";
import { onlyGrows } from "./rule-state.ts";
import { createStates } from "./states.ts";
import { createUptake } from "./uptake.ts";
import { createWrite } from "./write.ts";

export interface JudgeDeps {
  readonly kafka: KafkaClient;
  readonly admin: KafkaAdmin;
  readonly reader: TopicReader;
  readonly producer: RecordProducer;
  readonly rules: Rules;
  partitionsOf(tenant: string): ReadonlySet<number>;
  readonly metrics: AlerterMetrics;
  readonly log: Log;
  readonly schemaIds: { readonly transition: number; readonly snapshot: number };
}

export interface Judge {
  readonly joined: boolean;
  /** Rules changed. */
  changed(): void;
  close(): Promise<void>;
}

const saveEveryMs = 5_000;
const tickMs = 500;

export const createJudge = async (deps: JudgeDeps): Promise<Judge> => {
  const { kafka, rules, metrics, log } = deps;
  const partialsTopic = kafka.name(topics.alertPartials.name);
  const transitionsTopic = kafka.name(topics.alertTransitions.name);
  const states = createStates(
    deps,
    { state: kafka.name(topics.alertState.name), partials: partialsTopic, transitions: transitionsTopic },
    deps.schemaIds.snapshot,
  );
  const write = createWrite(deps, { topic: transitionsTopic, schemaId: deps.schemaIds.transition });
  const { ruleOf, end, use } = createUptake({ rules, write });

  const judgeComplete = async (bench: Bench): Promise<void> => {
    // Those of all rules are on their way together, and all back before anything else happens here.
    const writing: Promise<void>[] = [];
    for (const rule of bench.rules.values()) {
      if (rule.state.unjudged) continue;
      const watermark = watermarkOf(bench, rule, deps.partitionsOf(rule.state.tenant));
      const changed: AlertTransition[] = [];
      while (rule.dueAt <= watermark) {
        const due = rule.dueAt;
        const { state } = rule;
        const judged = { at: Date.now(), completeness: 1 };
        for (const one of rule.step()) changed.push(changeTransition(state, state.definition, one, judged));
        state.marked = -1;
        state.early = [];
        bench.dirty = true;
        metrics.judgedSeconds.observe(Math.max(0, judged.at - due) / 1_000);
      }
      if (changed.length > 0) writing.push(write(bench, changed));
    }
    for (const one of await Promise.allSettled(writing)) if (one.status === "rejected") throw one.reason;
  };

  /** What should be complete by now and is not is marked, once; and what is true already is said. */
  const judgeIncomplete = async (bench: Bench): Promise<void> => {
    const now = Date.now();
    for (const rule of bench.rules.values()) {
      const { state } = rule;
      const { definition, machine } = state;
      if (state.unjudged || state.marked >= 0 || now < Math.max(rule.dueAt, bench.since) + spanMs(definition.grace))
        continue;
      state.marked = machine.next;
      bench.dirty = true;
      const completeness = completenessOf(bench, deps.partitionsOf(state.tenant), rule.dueAt);
      const judged = { at: now, completeness };
      const sound = onlyGrows(definition) ? rule.foresee().filter(({ to }) => to === "firing") : [];
      const transitions = sound.map((one) => changeTransition(state, definition, one, judged));
      await write(bench, [markTransition(state, definition, rule.dueAt, judged), ...transitions]);
      // When the window is complete the same change has the same id.
      state.early = transitions.map(({ id }) => id);
    }
  };

  const wants = ({ partition }: Bench): boolean => {
    for (const { key } of rules.values()) if (rulePartition(key) === partition) return true;
    return false;
  };

  const load = async (bench: Bench): Promise<void> => {
    bench.loaded = false;
    await states.read(bench);
    bench.since = Date.now();
    bench.loaded = true;
    bench.dirty = false;
    await settle(bench);
  };

  /** Wakes or rests with the rules; ends what is no longer in force. */
  const settle = async (bench: Bench): Promise<void> => {
    const awake = wants(bench);
    if (awake && !bench.loaded) return load(bench);
    if (!bench.loaded) return;
    for (const [key, rule] of bench.rules) if (rules.get(key) === undefined) await end(bench, rule);
    for (const active of rules.values()) if (rulePartition(active.key) === bench.partition) await ruleOf(bench, active);
    if (awake && !bench.awake) consumer.place(bench.partition, bench.next);
    if (!awake && bench.awake) {
      await states.save(bench);
      consumer.rest(bench.partition);
    }
    bench.awake = awake;
  };

  const take = async (bench: Bench, records: readonly InRecord[]): Promise<void> => {
    if (benches.isAhead(bench, bench.next, records[0]?.offset ?? 0)) return;
    let moved = false;
    for (const { offset, value } of records) {
      if (offset < bench.next) continue;
      if (value !== null && schemaIdOf(value) !== undefined)
        moved = (await use(bench, decodeRecord("AlertPartials", value))) || moved;
      bench.next = offset + 1;
      bench.dirty = true;
    }
    if (moved) await judgeComplete(bench);
  };

  const benches = createHoldings<Bench>({
    log,
    failure: "judging begins again from the snapshot",
    begin: newBench,
    load,
    reset: (bench) => {
      bench.loaded = false;
      bench.awake = false;
    },
    place: (partition, offset) => consumer.place(partition, offset),
  });
  const consumer = createPlacedConsumer(
    kafka,
    { log },
    {
      group: "alerter.judge",
      topic: partialsTopic,
      maxWaitMs: 50,
      onAssigned: benches.assign,
      onLost: benches.lose,
      handle: async ({ partition, records, current }) => {
        const bench = benches.get(partition);
        if (bench === undefined) return;
        await benches.run(bench, async () => {
          if (bench.loaded && current()) await take(bench, records);
        });
      },
    },
  );

  await consumer.start();

  const timer = setInterval(() => {
    for (const bench of benches.values()) {
      if (!bench.loaded || !bench.awake) continue;
      void benches.run(bench, async () => {
        await judgeIncomplete(bench);
        if (Date.now() - bench.savedAt < saveEveryMs) return;
        bench.savedAt = Date.now();
        await states.save(bench);
      });
    }
  }, tickMs);

  return {
    get joined() {
      return consumer.joined;
    },
    changed: () => {
      for (const bench of benches.values()) void benches.run(bench, () => settle(bench));
    },
    close: async () => {
      clearInterval(timer);
      await benches.finish(states.save);
      await consumer.close();
      benches.lose();
    },
  };
};
