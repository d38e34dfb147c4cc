/**
 * How long events are kept, as people write it. A rule says it for what a query finds, or for the whole organization, or
 * that nothing of it may be removed at all; or that some fields go before their event does.
 */
import { z } from "zod";
import { parseQuery } from "../query/parse.ts";

const text = (max: number) => z.string().max(max, `must have ${max} characters at most`);

export const retentionKinds = ["keep", "hold", "drop_fields"] as const;

/** What every event has and may lose; attributes are named behind `attributes.`. */
export const droppableColumns = ["message", "host", "trace_id", "span_id"] as const;
export type DroppableColumn = (typeof droppableColumns)[number];

export const attributePrefix = "attributes.";

/** Entries of each of the two lists of a rule. */
export const mostFields = 50;

const notDropped: Readonly<Record<string, string>> = {
  service: "service is in the order in which events are stored, and stays as long as its event",
  ...{ timestamp: "timestamp is what an event is found by", level: "level is what an event is counted by" },
  ...{ source: "source is whose rules count", received_at: "received_at is what its days are counted from" },
};

const fieldForms = `must be ${droppableColumns.join(", ")}, ${attributePrefix}NAME, ${attributePrefix}START* or ${attributePrefix}*`;

/** Why a name is no field that can be dropped; undefined when it is one. */
const fieldProblem = (name: string): string | undefined => {
  if (notDropped[name] !== undefined) return `cannot be dropped: ${notDropped[name]}`;
  if (droppableColumns.some((column) => column === name)) return undefined;
  if (name.startsWith(attributePrefix) && name.length > attributePrefix.length) return undefined;
  return `${fieldForms}; an attribute user.id is written ${attributePrefix}user.id`;
};

const fieldList = (isAttribute: boolean) =>
  z
    .array(
      text(256).superRefine((name, context) => {
        const problem =
          isAttribute && !(name.startsWith(attributePrefix) && name.length > attributePrefix.length)
            ? `must be ${attributePrefix}NAME or ${attributePrefix}START*: what other fields hold is dropped only where fields says so`
            : fieldProblem(name);
        if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
      }),
    )
    .max(mostFields, `must have ${mostFields} entries at most; ${attributePrefix}START* stands for all that begin so`)
    .default([]);

/** The longest that anything can be kept but by a hold. */
export const mostDays = 3650;

export const retentionRuleShape = z
  .strictObject({
    name: text(200).min(1, "must not be empty"),
    kind: z
      .enum(retentionKinds, `must be one of ${retentionKinds.join(", ")}`)
      .describe(
        "keep: how long what it finds lives. hold: nothing of it is removed while the rule stands. drop_fields: the fields go after so many days, the event stays.",
      ),
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
    fields: fieldList(false).describe(
      `With drop_fields: ${droppableColumns.join(", ")}, ${attributePrefix}NAME, ${attributePrefix}START* or ${attributePrefix}*.`,
    ),
    except: fieldList(true).describe("With drop_fields: attributes that stay though fields finds them."),
  })
  .superRefine(({ kind, days, source, query, reason, fields, except }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (kind === "keep" && days === null) issue("days", `must be 1 to ${mostDays}: how long to keep what it finds`);
    if (kind === "hold" && days !== null) issue("days", "must be left out: a hold has no end but its deletion");
    if (kind === "hold" && reason === "") issue("reason", "must say why, for those who meet the hold later");
    if (kind === "drop_fields" && days === null)
      issue("days", `must be 1 to ${mostDays}: after how many the fields go`);
    if (kind === "drop_fields" && fields.length === 0) issue("fields", `must name what goes; each ${fieldForms}`);
    if (kind !== "drop_fields" && fields.length > 0) issue("fields", "goes with kind drop_fields");
    if (except.length > 0 && !fields.some((name) => name.startsWith(attributePrefix) && name.endsWith("*")))
      issue("except", `goes with a field that ends in *, such as ${attributePrefix}*`);
    if (kind === "keep" && query === "" && source !== "")
      issue("query", "must say what of the source; for all of it change the source's own retention_days");
  });

export type RetentionRule = z.output<typeof retentionRuleShape>;

/** What the API answers to a rule that drops fields before it is made. Counts are of events. */
export interface FieldRulePreview {
  /** That it finds and that have some of its fields. */
  readonly events: number;
  /** Of these: would lose them within the hour. */
  readonly due: number;
  /** Past their days, and kept whole by a hold. */
  readonly held: number;
  /** null: could not be counted, see `problem`. */
  readonly buckets: readonly {
    readonly name: string;
    readonly events: number | null;
    readonly due: number | null;
    readonly problem: string;
  }[];
  readonly places: readonly { readonly place: string; readonly reached: boolean; readonly detail: string }[];
}
