/**
 * How long events are kept, as people write it. A rule says it for what a query finds, or for the whole organization, or
 * that nothing of it may be removed at all.
 */
import { z } from "zod";
import { parseQuery } from "../query/parse.ts";

const text = (max: number) => z.string().max(max, `must have ${max} characters at most`);

export const retentionKinds = ["keep", "hold"] as const;

/** The longest that anything can be kept but by a hold. */
export const mostDays = 3650;

export const retentionRuleShape = z
  .strictObject({
    name: text(200).min(1, "must not be empty"),
    kind: z
      .enum(retentionKinds, "must be keep or hold")
      .describe("hold: nothing of it is removed while the rule stands."),
    /** Id of a source; empty is all of them. */
    source: text(64).default(""),
    /** In the query language; empty is every event. */
    query: text(4_000)
      .default("")
      .superRefine((query, context) => {
        try {
          parseQuery(query, { now: Date.now() });
        } catch (error) {
          context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "is no query" });
        }
      }),
    /** Counted from the receipt; null with a hold. */
    days: z.int().min(1).max(mostDays).nullable().default(null),
    reason: text(1_000).default(""),
  })
  .superRefine(({ kind, days, source, query, reason }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (kind === "keep" && days === null) issue("days", `must be 1 to ${mostDays}: how long to keep what it finds`);
    if (kind === "hold" && days !== null) issue("days", "must be left out: a hold has no end but its deletion");
    if (kind === "hold" && reason === "") issue("reason", "must say why, for those who meet the hold later");
    if (kind === "keep" && query === "" && source !== "")
      issue("query", "must say what of the source; for all of it change the source's own retention_days");
  });

export type RetentionRule = z.output<typeof retentionRuleShape>;
