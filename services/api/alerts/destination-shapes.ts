/** What people give for a destination of each kind, and what is shown of it. Secrets go in and never come out. */
import { unknownNames } from "@astralog/chassis";
import { type DestinationKind, destinationKinds, regions } from "@astralog/schemas/alerts/index";
import { z } from "zod";
import { nameShape } from "../http/text.ts";

const url = z.url().max(2_048);
const id = z.string().regex(/^dst_\w{12}$/, "must be the id of a destination, dst_…");
const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).format(0) !== "";
  } catch {
    return false;
  }
};
const instant = z.iso.datetime({ offset: true });

const onCall = z.strictObject({
  turns: z.array(id).min(1).max(50),
  days: z.int().min(1).max(60).default(7),
  from: z.iso.date(),
  handover: z
    .string()
    .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "must be a time such as 09:00")
    .default("09:00"),
  zone: z.string().max(64).refine(isZone, "must be a time zone such as Europe/Berlin").default("UTC"),
  instead: z
    .array(z.strictObject({ from: instant, until: instant, to: id }))
    .max(50)
    .default([]),
});

const escalation = z.strictObject({
  steps: z
    .array(z.strictObject({ after_minutes: z.int().min(0).max(10_080), to: z.array(id).min(1).max(10) }))
    .min(1)
    .max(10),
});

const region = z.strictObject({ region: z.enum(regions).default("us") });
const chat = { settings: z.strictObject({}).default({}), secrets: z.strictObject({ url }) };
const key = (about: string) => z.strictObject({ key: z.string().trim().min(8).max(200).describe(about) });
const none = z.strictObject({}).default({});

/** For each kind: what may be seen, and what is sealed. */
export const givenShapes = {
  webhook: { settings: z.strictObject({ url }), secrets: none },
  slack: chat,
  teams: chat,
  discord: chat,
  pagerduty: { settings: region, secrets: key("An Events API v2 integration's routing key.") },
  opsgenie: { settings: region, secrets: key("An API integration's key.") },
  email: { settings: z.strictObject({ to: z.array(z.email().max(254)).min(1).max(20) }), secrets: none },
  on_call: { settings: onCall, secrets: none },
  escalation: { settings: escalation, secrets: none },
} as const satisfies Record<DestinationKind, { settings: z.ZodType; secrets: z.ZodType }>;

const templateText = (most: number) =>
  z
    .string()
    .max(most)
    .superRefine((text, { addIssue }) => {
      for (const name of unknownNames(text)) addIssue({ code: "custom", message: `knows no {{${name.slice(0, 60)}}}` });
    })
    .default("");
export const templateShape = z.strictObject({ title: templateText(300), text: templateText(4_000) });

const kind = z.enum(destinationKinds);
const record = z.record(z.string(), z.unknown());

/** The kind decides what `settings` and `secrets` must be; which is checked with it. */
export const newDestination = z.strictObject({
  ...{ name: nameShape, kind },
  settings: record
    .default({})
    .describe(
      "webhook: url. pagerduty, opsgenie: region, us or eu. email: to, a list. on_call: turns, days, from, handover, zone, instead. escalation: steps of after_minutes and to.",
    ),
  secrets: record
    .default({})
    .describe("slack, teams, discord: url, of the chat's incoming webhook. pagerduty, opsgenie: key."),
  template: templateShape.default({ title: "", text: "" }),
  standard: z.boolean().default(false).describe("Told of every rule that names no destination."),
});

export const changedDestination = z
  .strictObject({
    ...{ name: nameShape.optional(), settings: record.optional(), secrets: record.optional() },
    ...{ template: templateShape.optional(), standard: z.boolean().optional(), enabled: z.boolean().optional() },
  })
  .refine((changes) => Object.keys(changes).length > 0, "name at least one field to change");

const date = z.iso.datetime();
export const destinationShape = z.object({
  ...{ id: z.string(), name: z.string(), kind, settings: record, template: templateShape },
  ...{ standard: z.boolean(), enabled: z.boolean(), problem: z.string(), version: z.int() },
  ...{ created_at: date, updated_at: date },
});
export const madeDestination = destinationShape.extend({
  secret: z.string().describe("Of a webhook, to check signatures with: the one chance to see it. Else empty."),
});
