/** Where a partition's rules stand, kept together on alerts.state with the offsets that they have come to. */
import type { KafkaAdmin, Log, RecordProducer, TopicReader } from "@astralog/chassis";
import { decodeRecord, schemaIdOf } from "@astralog/schemas";
import { sendSurely } from "../send.ts";
import { encodeSnapshot, readSnapshot } from "../snapshot.ts";
import { type Bench, remember, type Snapshot } from "./bench.ts";
import { judgeRule, reviveRuleState } from "./rule-state.ts";

interface StatesDeps {
  readonly admin: KafkaAdmin;
  readonly reader: TopicReader;
  readonly producer: RecordProducer;
  readonly log: Log;
}

interface Topics {
  readonly state: string;
  readonly partials: string;
  readonly transitions: string;
}

const format = 1;

export const createStates = (deps: StatesDeps, topics: Topics, schemaId: number) => {
  const { admin, reader } = deps;
  const endsOf = async (topic: string, partition: number) =>
    (await admin.fetchTopicOffsets(topic)).find((one) => one.partition === partition);

  return {
    /** As it was last saved, with the ids of what has been written since. */
    read: async (bench: Bench): Promise<void> => {
      const { partition } = bench;
      bench.rules.clear();
      bench.there.clear();
      const snapshot = await readSnapshot<Snapshot>(deps, { topic: topics.state, partition, format });
      const partials = await endsOf(topics.partials, partition);
      const transitions = await endsOf(topics.transitions, partition);
      bench.next = Math.max(snapshot?.next ?? 0, Number(partials?.low ?? 0));
      bench.written = Math.max(snapshot?.written ?? 0, Number(transitions?.low ?? 0));
      bench.reached = snapshot?.reached ?? {};
      for (const state of snapshot?.rules ?? []) {
        bench.rules.set(`${state.tenant}/${state.rule}`, judgeRule(reviveRuleState(state)));
        remember(bench, state.early);
      }
      const to = Number(transitions?.high ?? 0);
      await reader.read({ topic: topics.transitions, partition, from: bench.written, to }, (records) => {
        for (const { value } of records)
          if (value !== null && schemaIdOf(value) !== undefined)
            remember(bench, [decodeRecord("AlertTransition", value).id]);
      });
    },

    save: async (bench: Bench): Promise<void> => {
      if (!bench.loaded || !bench.dirty) return;
      bench.dirty = false;
      const { partition, next, written, reached } = bench;
      const body: Snapshot = { next, written, reached, rules: [...bench.rules.values()].map(({ state }) => state) };
      const value = await encodeSnapshot(schemaId, format, { partition, through: next, body });
      await sendSurely(deps.producer, deps.log, [{ topic: topics.state, partition, value }], () => !bench.lost);
    },
  };
};
