import type { InRecord } from "@astralog/chassis";
import { BatchEncoder, emptyHeader, types } from "@astralog/schemas";
import { createCounter, type RuleInput, readRule } from "@astralog/schemas/alerts/index";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { judgeRule, newRuleState, type RuleState, reviveRuleState } from "../judge/rule-state.ts";
import { createChooser } from "./choose.ts";
import {
  countersOf,
  newPartition,
  type PartitionState,
  partitionFromJson,
  partitionToJson,
  takeRecords,
} from "./partition.ts";
import { progress, type Sight } from "./proof.ts";
import { createBatchReader } from "./read-batch.ts";
import type { CountedRule } from "./tenants.ts";

const readBatch = createBatchReader({ writerOf: async () => types.EventBatch });
const start = 1_000_000_000;

const ruleOf = (when: RuleInput["when"]): CountedRule => {
  const read = readRule({ id: "r", name: "R", when, lateness: "1s" });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const active = {
    key: "t/r",
    tenant: "t",
    rule: "r",
    version: 1,
    effectiveFrom: start,
    definition: read.rule,
    problem: "",
  };
  const context = { sources: new Map<string, string>(), regex: () => () => false };
  return { active, counter: createCounter(read.rule, start, context) };
};
const threshold = ruleOf({
  type: "threshold",
  query: "hot",
  value: "sum(n)",
  by: ["host"],
  above: 2,
  window: "20s",
  every: "10s",
});
const match = ruleOf({ type: "match", query: "hot", by: ["host"], window: "10s", limit: 3 });

interface Given {
  readonly host: string;
  readonly hot: boolean;
  /** Milliseconds since the start. */
  readonly at: number;
  readonly late: number;
  readonly n: number;
}

/** Record `offset` of the lane, received in their order. */
const recordOf = (offset: number, events: readonly Given[], dedup = "", protocol = ""): Buffer => {
  const encoder = new BatchEncoder();
  const receivedAt = start + Math.max(...events.map(({ at, late }) => at + late));
  for (const { host, hot, at, n } of events)
    encoder.append({
      ...{ millis: start + at, nanos: 0, level: 9, service: "", host, message: hot ? "hot" : "cold" },
      ...{ trace_id: "", span_id: "", attribute_types: "n", attributes: ["n", String(n)] },
    });
  return encoder.finish(1, {
    ...emptyHeader,
    ...{ tenant: "t", source: "s", received_at: receivedAt, accepted: events.length, dedup_id: dedup, protocol },
    ...{ raw_topic: "events.raw", raw_partition: 0, raw_offset: offset },
  });
};

const anEvent = fc.record({
  host: fc.constantFrom("a", "b"),
  hot: fc.boolean(),
  at: fc.integer({ min: 0, max: 800 }),
  late: fc.constantFrom(0, 0, 0, 0, 0, 0, 900, 15_000),
  n: fc.integer({ min: -10, max: 50 }).map((tenths) => tenths / 10),
});
const aBatch = fc
  .tuple(fc.integer({ min: 0, max: 60_000 }), fc.array(anEvent, { minLength: 1, maxLength: 4 }))
  .map(([base, events]) => events.map((event) => ({ ...event, at: base + event.at })));

/** What a restart does: goes back to a snapshot, and reads on from there. */
type Step = { readonly kind: "read"; readonly count: number } | { readonly kind: "save" | "crash" | "rewind" };
const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("read" as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constantFrom("save" as const, "crash" as const, "rewind" as const) }),
);

/** Takes a log through both stages, killed and rewound as the steps say; gives all changes and matches. */
const run = async (
  rule: CountedRule,
  batches: readonly (readonly Given[])[],
  steps: readonly Step[],
): Promise<string[]> => {
  // The clean log: after a rewind of the redactor some records stand in it again.
  const log: InRecord[] = [];
  const put = (offset: number) =>
    log.push({ offset: log.length, timestamp: 0, key: null, value: recordOf(offset, batches[offset] ?? []) });
  for (const offset of batches.keys()) {
    put(offset);
    if (steps[offset]?.kind === "rewind") for (let back = Math.max(0, offset - 2); back <= offset; back++) put(back);
  }
  let state = newPartition(0);
  let saved = JSON.stringify(partitionToJson(state));
  let judged = judgeRule(newRuleState(rule.active));
  const said = new Map<string, string>();
  const advance = (watermark: number): void => {
    state.watermark = Math.max(state.watermark, watermark);
    for (const counter of countersOf(state, [rule], state.watermark)) judged.addCounter(counter);
    while (judged.dueAt <= state.watermark)
      for (const change of judged.step())
        said.set(`${change.group} ${change.windowTo} ${change.to}`, JSON.stringify(change));
  };
  const read = async (records: readonly InRecord[]): Promise<void> => {
    const { matches } = await takeRecords(
      state,
      records,
      () => createChooser([rule]),
      readBatch,
      (topic) => topic,
    );
    for (const one of matches)
      if (judged.addMatch(one)) {
        const id = `match ${one.event}`;
        if (said.has(id)) throw new Error(`${id} was told twice`);
        said.set(id, `${one.group} ${one.at}`);
      }
  };
  for (const step of steps) {
    if (step.kind === "read") await read(log.slice(state.next, state.next + step.count));
    else if (step.kind === "save") saved = JSON.stringify(partitionToJson(state));
    else if (step.kind === "crash") {
      state = partitionFromJson(JSON.parse(saved) as ReturnType<typeof partitionToJson>);
      judged = judgeRule(reviveRuleState(JSON.parse(JSON.stringify(judged.state)) as RuleState));
    }
  }
  await read(log.slice(state.next));
  advance(start + 200_000);
  return [...said].map(([id, change]) => `${id} ${change}`).sort();
};

describe("whatever is killed, rewound and cut how", () => {
  test.each([
    ["a threshold", threshold],
    ["a match", match],
  ])("%s says the same", async (_, rule) => {
    let said = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(aBatch, { minLength: 1, maxLength: 25 }),
        fc.array(aStep, { maxLength: 30 }),
        async (batches, steps) => {
          const straight = await run(rule, batches, []);
          expect(await run(rule, batches, steps)).toEqual(straight);
          said += straight.length;
        },
      ),
    );
    expect(said).toBeGreaterThan(50);
  });
});

test("a client's own retry is one record", async () => {
  const state: PartitionState = newPartition(0);
  const events = [{ host: "a", hot: true, at: 100, late: 0, n: 1 }];
  const key = "abcdefghijklmnopqrstuvwx";
  const records = [
    ...[recordOf(0, events, key), recordOf(1, events, key), recordOf(2, events, "random")],
    // Brought in from another Astralog, which judged it.
    recordOf(3, events, "another", "import"),
  ];
  const taken = await takeRecords(
    state,
    records.map((value, offset) => ({ offset, timestamp: 0, key: null, value })),
    () => createChooser([match]),
    readBatch,
    (topic) => topic,
  );
  expect(taken.matches.map(({ event }) => event)).toEqual(["0-0-0", "0-2-0"]);
});

describe("a partition is complete", () => {
  const sight = (more: Partial<Sight> = {}): Sight => ({
    at: 0,
    ends: new Map([["events.raw/0", { low: 5, high: 20 }]]),
    passed: new Map(),
    cleanEnds: new Map(),
    ...more,
  });
  const at = (taken: [string, number][], next = 0) => ({ partition: 0, next, taken: new Map(taken), since: undefined });
  const lanes = ["events.raw/0"];
  test("when the last raw record that was there has come through", () => {
    expect(progress(sight(), lanes, at([["events.raw/0", 19]]))).toEqual({ complete: true, seen: 15, known: 15 });
    expect(progress(sight(), lanes, at([["events.raw/0", 18]]))).toEqual({ complete: false, seen: 14, known: 15 });
  });
  test("when there is nothing, or no such topic", () => {
    expect(progress(sight({ ends: new Map([["events.raw/0", { low: 20, high: 20 }]]) }), lanes, at([])).complete).toBe(
      true,
    );
    expect(progress(sight(), ["native.x/0"], at([])).complete).toBe(true);
  });
  test("where nothing was seen: when the redactor has passed it on and that was read", () => {
    expect(progress(sight(), lanes, at([])).complete).toBe(false);
    const passed = { passed: new Map([["events.raw/0", 20]]), cleanEnds: new Map([[0, 7]]) };
    expect(progress(sight(passed), lanes, at([], 6)).complete).toBe(false);
    expect(progress(sight(passed), lanes, at([], 7)).complete).toBe(true);
  });
});
