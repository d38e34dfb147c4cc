/** What a rule might find, as its message would say it. */
import { wordsOf } from "@astralog/chassis";
import { type RuleInput, readRule } from "@astralog/schemas/alerts/index";
import { expect, test } from "@jest/globals";
import { sampleNotice } from "./sample-notice.ts";

const textOf = (when: RuleInput["when"]): string => {
  const read = readRule({ id: "r", name: "Rule", when });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  const notice = sampleNotice({ tenant: "tn", target: "", publicUrl: new URL("https://logs.example.com") }, read.rule);
  return wordsOf({ ...notice, happening: "began" }, { title: "{{rule}}: {{group}}", text: "{{found}}" }).text;
};

test.each<[RuleInput["when"], string]>([
  [{ type: "match", query: "x" }, "the event matches"],
  [{ type: "threshold", query: "x", above: 10 }, "count() is 12, above 10"],
  [{ type: "threshold", query: "x", above: 0 }, "count() is 1, above 0"],
  [{ type: "threshold", query: "x", value: "avg(ms)", above: -10 }, "avg(ms) is -8, above -10"],
  [{ type: "threshold", query: "x", below: 5, resolve: 9 }, "count() is 4, below 5"],
  [{ type: "ratio", query: "x", of: "", above: 0.5 }, "the ratio is 0.6, above 0.5"],
  [{ type: "ratio", query: "x", of: "", below: 0.9 }, "the ratio is 0.45, below 0.9"],
  [{ type: "absence", query: "x", window: "10m" }, "no event in 10m"],
  [{ type: "change", query: "x", up: 50 }, "160 after 100 1d before: up by more than 50 %"],
  [{ type: "change", query: "x", down: 50 }, "40 after 100 1d before: down by more than 50 %"],
  [{ type: "new_pattern", query: "x" }, "not seen for 1w"],
  [{ type: "anomaly", query: "x" }, "160, usually 100 ± 40"],
  [{ type: "anomaly", query: "x", direction: "down" }, "40, usually 100 ± 40"],
])("%j says %s", (when, text) => {
  expect(textOf(when)).toBe(text);
});
