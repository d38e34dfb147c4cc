/**
 * The second stage: puts the parts of all partitions together, judges what is complete, and writes each change to
 * alerts.transitions once. State and position are kept together in snapshots. Whoever takes a partition over reads what has
 * been written since the snapshot, judges the same again, and leaves out what is there: ids are the same.
 */

import { setTimeout as sleep } from "node:timers/promises";
import {
  createPlacedConsumer,
  type InRecord,
  type KafkaAdmin,
  type KafkaClient,
  type Log,
  type RecordProducer,
  type TopicReader,
} from "@astralog/chassis";
import {
  type AlertPartials,
  type AlertTransition,
  decodeRecord,
  encodeRecord,
  schemaIdOf,
  topics,
} from "@astralog/schemas";
import {
  changeTransition,
  endedTransition,
  groupValues,
  matchTransition,
  rulePartition,
  spanMs,
} from "@astralog/schemas/alerts/index";
import { createHoldings } from "../holdings.ts";
import type { AlerterMetrics } from "../metrics.ts";
import type { ActiveRule, Rules } from "../rules.ts";
import { sendSurely } from "../send.ts";
import { encodeSnapshot, readSnapshot } from "../snapshot.ts";
import { type Bench, completenessOf, newBench, type Snapshot } from "./bench.ts";
import { judgedAgainTransition, markTransition, unjudgedTransition } from "./of-rule.ts";
import { type JudgedRule, judgeRule, newRuleState, onlyGrows, reviveRuleState } from "./rule-state.ts";

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

const snapshotFormat = 1;
const saveEveryMs = 5_000;
const tickMs = 500;
/** So long parts of a rule that is not known here are held: its record is on the way. */
const unknownMs = 3_000;

export const createJudge = async (deps: JudgeDeps): Promise<Judge> => {
  const { kafka, admin, reader, producer, rules, metrics, log } = deps;
  const [partialsTopic, transitionsTopic, stateTopic] = [
    kafka.name(topics.alertPartials.name),
    kafka.name(topics.alertTransitions.name),
    kafka.name(topics.alertState.name),
  ];
  const gone = new Set<string>();

  const write = async (bench: Bench, transitions: readonly AlertTransition[]): Promise<void> => {
    const fresh = transitions.filter(({ id }) => !bench.there.has(id));
    bench.dirty = true;
    const sent = await sendSurely(
      producer,
      log,
      fresh.map((one) => ({
        topic: transitionsTopic,
        partition: bench.partition,
        key: one.incident,
        value: encodeRecord("AlertTransition", deps.schemaIds.transition, one),
      })),
      () => !bench.lost,
    );
    for (const { offset } of sent ?? []) bench.written = Math.max(bench.written, offset + 1);
    for (const { kind, to_state: to } of sent === undefined ? [] : fresh)
      kind === "mark" ? metrics.marks.inc() : metrics.transitions.inc({ to });
  };

  /** The rule in this version; a newer one ends the incidents of the one before. */
  const ruleOf = async (bench: Bench, active: ActiveRule): Promise<JudgedRule> => {
    const known = bench.rules.get(active.key);
    const unjudged = active.problem !== "";
    const isKnown = known?.state.version === active.version && (known.state.unjudged ?? false) === unjudged;
    if (known !== undefined && isKnown) return known;
    if (known !== undefined) await end(bench, known);
    const { key: _, problem, ...of } = active;
    const fresh = judgeRule(newRuleState({ ...of, unjudged }));
    if (unjudged) await write(bench, [unjudgedTransition(of, of.definition, of.effectiveFrom, problem)]);
    bench.rules.set(active.key, fresh);
    bench.dirty = true;
    return fresh;
  };

  const end = async (bench: Bench, { state }: JudgedRule): Promise<void> => {
    const open = Object.entries(state.machine.groups).flatMap(([key, group]) =>
      group.status === "ok"
        ? []
        : [
            endedTransition(
              state,
              state.definition,
              { values: groupValues(key), status: group.status, beganAt: group.beganAt, sequence: group.sequence },
              Date.now(),
            ),
          ],
    );
    if (state.unjudged) open.push(judgedAgainTransition(state, state.definition, state.effectiveFrom));
    await write(bench, open);
    bench.rules.delete(`${state.tenant}/${state.rule}`);
  };

  /** A part may be here before the rule's own record is. */
  const activeOf = async (bench: Bench, key: string, version: number): Promise<ActiveRule | undefined> => {
    const name = `${key}@${version}`;
    const deadline = Date.now() + unknownMs;
    for (;;) {
      const active = rules.get(key);
      if (active !== undefined && active.version >= version) return active.version === version ? active : undefined;
      if (gone.has(name) || Date.now() > deadline || bench.lost) break;
      await sleep(50);
    }
    if (gone.size > 10_000) gone.clear();
    gone.add(name);
    return undefined;
  };

  const use = async (bench: Bench, partials: AlertPartials): Promise<boolean> => {
    for (const { rule, version } of partials.admitted) {
      const active = await activeOf(bench, rule, version);
      if (active !== undefined) (await ruleOf(bench, active)).state.admitted[partials.partition] = true;
    }
    for (const counter of partials.counters) {
      const active = await activeOf(bench, counter.rule, counter.version);
      if (active !== undefined) (await ruleOf(bench, active)).addCounter(counter);
    }
    const told: AlertTransition[] = [];
    for (const match of partials.matches) {
      const active = await activeOf(bench, match.rule, match.version);
      if (active === undefined || !(await ruleOf(bench, active)).addMatch(match)) continue;
      const { group, event, line } = match;
      const judged = { at: Date.now(), completeness: 1 };
      told.push(matchTransition(active, active.definition, { group, event, line, at: Number(match.at) }, judged));
    }
    if (told.length > 0) await write(bench, told);
    const before = bench.reached[partials.partition];
    const [seen, known] = [Number(partials.seen), Number(partials.known)];
    const watermark = Math.max(before?.watermark ?? 0, Number(partials.watermark));
    bench.reached[partials.partition] = { watermark, seen, known };
    return watermark > (before?.watermark ?? -1) || partials.admitted.length > 0;
  };

  /** How far all partitions of the rule's tenant have come. */
  const watermarkOf = (bench: Bench, { state }: JudgedRule): number => {
    let lowest = Number.POSITIVE_INFINITY;
    for (const partition of deps.partitionsOf(state.tenant)) {
      if (state.admitted[partition] !== true) return 0;
      lowest = Math.min(lowest, bench.reached[partition]?.watermark ?? 0);
    }
    return Number.isFinite(lowest) ? lowest : 0;
  };

  const judgeComplete = async (bench: Bench): Promise<void> => {
    // Those of all rules are on their way together, and all back before anything else happens here.
    const writing: Promise<void>[] = [];
    for (const rule of bench.rules.values()) {
      if (rule.state.unjudged) continue;
      const watermark = watermarkOf(bench, rule);
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
      for (const id of state.early) bench.there.add(id);
    }
  };

  const save = async (bench: Bench): Promise<void> => {
    if (!bench.loaded || !bench.dirty) return;
    bench.dirty = false;
    const body: Snapshot = {
      next: bench.next,
      written: bench.written,
      reached: bench.reached,
      rules: [...bench.rules.values()].map(({ state }) => state),
    };
    const value = await encodeSnapshot(deps.schemaIds.snapshot, snapshotFormat, {
      partition: bench.partition,
      through: bench.next,
      body,
    });
    await sendSurely(producer, log, [{ topic: stateTopic, partition: bench.partition, value }], () => !bench.lost);
  };

  const wants = ({ partition }: Bench): boolean => {
    for (const { key } of rules.values()) if (rulePartition(key) === partition) return true;
    return false;
  };

  const load = async (bench: Bench): Promise<void> => {
    const { partition } = bench;
    bench.loaded = false;
    bench.rules = new Map();
    bench.there = new Set();
    bench.reached = {};
    const snapshot = await readSnapshot<Snapshot>(
      { admin, reader, log },
      { topic: stateTopic, partition, format: snapshotFormat },
    );
    const endsOf = async (topic: string) =>
      (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);
    const [partials, transitions] = [await endsOf(partialsTopic), await endsOf(transitionsTopic)];
    bench.next = Math.max(snapshot?.next ?? 0, Number(partials?.low ?? 0));
    bench.written = Math.max(snapshot?.written ?? 0, Number(transitions?.low ?? 0));
    bench.reached = snapshot?.reached ?? {};
    for (const state of snapshot?.rules ?? []) {
      bench.rules.set(`${state.tenant}/${state.rule}`, judgeRule(reviveRuleState(state)));
      for (const id of state.early) bench.there.add(id);
    }
    const to = Number(transitions?.high ?? 0);
    await reader.read({ topic: transitionsTopic, partition, from: bench.written, to }, (records) => {
      for (const { value } of records) {
        if (value === null || schemaIdOf(value) === undefined) continue;
        bench.there.add(decodeRecord("AlertTransition", value).id);
      }
    });
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
      await save(bench);
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
        await save(bench);
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
      await benches.finish(save);
      await consumer.close();
      benches.lose();
    },
  };
};
