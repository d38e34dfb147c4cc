/** Rules that a batch cannot concern are left out: nothing is counted otherwise than if all were asked. */
import { BatchEncoder, emptyHeader, types } from "@astralog/schemas";
import { createCounter, type RuleInput, readRule } from "@astralog/schemas/alerts/index";
import { neededTexts, parseQuery } from "@astralog/schemas/query/index";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import RE2 from "re2";
import { type Chooser, createChooser } from "./choose.ts";
import { createNeedles } from "./needles.ts";
import { countersOf, newPartition, takeRecords } from "./partition.ts";
import { createBatchReader } from "./read-batch.ts";
import type { CountedRule } from "./tenants.ts";

test.each<[string, string[] | undefined]>([
  ["timeout", ["timeout"]],
  ['"connection refused" OR timeout', ["connection", "timeout"]],
  ["level:error service:checkout", ["checkout"]],
  ["path:/login* method:POST", ["/login"]],
  ["/out of memory|heap exhausted/i", ["out of memory", "heap exhausted"]],
  ["/(a|b)disk full(er)?x+/", ["disk full"]],
  ["/\\bpanic\\b/", ["panic"]],
  ["/ab|timeout/", undefined],
  ["/timeout?/", ["timeou"]],
  ["NOT panic", undefined],
  ["panic OR level:error", undefined],
  ["status:500", ["500", "500.0"]],
  ["status:>=500", ["status"]],
  ["Ok:*", undefined],
  ["Round:*", ["round"]],
  ["method:GO*", ["method"]],
  ["method:/^.../", ["method"]],
  ["NOT status:*", undefined],
  ["level:error status:<200 service:checkout", ["checkout"]],
  ["source:shop", undefined],
  ["", undefined],
])("%s needs %j", (query, texts) => {
  expect(neededTexts(parseQuery(query, { now: 0 }))).toEqual(texts);
});

const short = fc.string({ unit: fc.constantFrom("a", "b", "A", "é", "\u0000"), minLength: 1, maxLength: 4 });

test("texts are found where they stand, whatever the case, and nowhere else", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        short.map((text) => text.toLowerCase().replaceAll("É", "é")),
        { minLength: 1 },
      ),
      fc.string({ unit: fc.constantFrom("a", "b", "A", "B", "é", "\u0000") }),
      fc.nat(3),
      (texts, text, from) => {
        const bytes = new TextEncoder().encode(text);
        const found = new Uint8Array(texts.length);
        createNeedles(texts).look(bytes, from, found);
        const there = Buffer.from(bytes.subarray(from))
          .toString("latin1")
          .replace(/[A-Z]/g, (one) => one.toLowerCase());
        const wanted = texts.map((one) => (there.includes(Buffer.from(one).toString("latin1")) ? 1 : 0));
        expect([...found]).toEqual(wanted);
      },
    ),
  );
});

const context = {
  sources: new Map<string, string>(),
  regex: (source: string) => {
    const expression = new RE2(source, "u");
    return (text: string) => expression.test(text);
  },
};
const ruleOf = (query: string, n: number): CountedRule => {
  const when: RuleInput["when"] = { type: "threshold", query, above: 1, window: "10s", every: "10s" };
  const read = readRule({ id: `r${n}`, name: "R", when });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const active = {
    key: `t/r${n}`,
    tenant: "t",
    rule: `r${n}`,
    version: 1,
    effectiveFrom: 0,
    definition: read.rule,
    problem: "",
  };
  return { active, counter: createCounter(read.rule, 0, context) };
};

const word = fc.constantFrom(
  "timeout",
  "TimeOut",
  "time",
  "café",
  "disk full",
  "K",
  "aaa",
  "500",
  "xtimeoutx",
  "Kelvin",
);
const term = fc.oneof(
  word.map((one) => `"${one}"`),
  word.map((one) => `service:"${one}"`),
  word.map((one) => `user:"${one}"`),
  fc.constantFrom("time*", "user:*out", "service:*sk*", "user:*", "host:ab*"),
  fc
    .tuple(
      fc.array(
        fc.constantFrom(
          "time",
          "out",
          "(out)?",
          "(?:aaa)+",
          "[kK]",
          "\\b",
          "^",
          "caf",
          "é",
          "|",
          "x*",
          "disk.full",
          "\\d{3}",
        ),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
      fc.constantFrom("", "i"),
    )
    .map(([list, flag]) => `/${list.join("")}/${flag}`),
);
const query = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    term,
    fc.tuple(tie("any"), fc.constantFrom(" ", " OR "), tie("any")).map((parts) => `(${parts.join("")})`),
    tie("any").map((inner) => `NOT (${inner})`),
  ),
})).any;
const isQuery = (text: string): boolean => {
  try {
    parseQuery(text, { now: 0 });
    return true;
  } catch {
    return false;
  }
};
const event = fc.record({ message: fc.array(word).map((list) => list.join(" ")), service: word, user: word });

const readBatch = createBatchReader({ writerOf: async () => types.EventBatch });

test("counts are the same as if every rule were asked about every event", async () => {
  let left = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(query.filter(isQuery), { minLength: 1, maxLength: 6 }),
      fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      async (queries, batches) => {
        const rules = queries.map(ruleOf);
        const encoder = new BatchEncoder();
        const records = batches.map((events, offset) => {
          for (const { message, service, user } of events)
            encoder.append({
              ...{ millis: 1_000, nanos: 0, level: 9, service, host: "", message, trace_id: "", span_id: "" },
              ...{ attribute_types: "s", attributes: ["user", user] },
            });
          const header = { ...emptyHeader, tenant: "t", source: "s", received_at: 1_000, accepted: events.length };
          return { offset, timestamp: 0, key: null, value: encoder.finish(1, { ...header, raw_offset: offset }) };
        });
        const countsBy = async (chooser: Chooser): Promise<unknown> => {
          const state = newPartition(0);
          await takeRecords(
            state,
            records,
            () => chooser,
            readBatch,
            (topic) => topic,
          );
          return countersOf(state, rules, 0, true);
        };
        const chooser = createChooser(rules);
        for (const { value } of records) left += rules.length - chooser.rulesFor({ bytes: value, from: 0 }).length;
        expect(await countsBy(chooser)).toEqual(await countsBy({ rules, rulesFor: () => rules }));
      },
    ),
  );
  // It was about something.
  expect(left).toBeGreaterThan(20);
});
