/** What the routes over events answer, for the OpenAPI document. */
import { z } from "zod";

export const eventShape = z.object({
  id: z.string().describe("Where the event came in: 3-1742-0."),
  timestamp: z.string().describe("RFC 3339 with nanoseconds."),
  received_at: z.iso.datetime(),
  level: z.string(),
  severity_number: z.int().describe("OpenTelemetry's severity number; 0 when none was sent."),
  source: z.string().describe("The source's name."),
  source_id: z.string(),
  service: z.string(),
  host: z.string(),
  message: z.string(),
  trace_id: z.string(),
  span_id: z.string(),
  attributes: z.record(z.string(), z.unknown()),
});

export const oneEventShape = eventShape.extend({
  expires_on: z.iso.date().describe("The day on which it is deleted, UTC."),
  dropped_fields: z
    .array(
      z.object({
        ...{ rule: z.string(), fields: z.array(z.string()), except: z.array(z.string()), after_days: z.int() },
        due_on: z.iso.date(),
      }),
    )
    .describe("Rules that find it and have dropped these fields of it, if it had them: what they held is not known."),
});

export const statsShape = z
  .object({ rows: z.number(), bytes: z.number(), ms: z.number() })
  .describe("What was read to answer, and how long it took.");

export const receiptShape = z.object({
  record: z.string(),
  state: z.enum(["stored", "pending"]),
  accepted: z.int(),
  stored: z.int(),
  dropped: z.record(z.string(), z.number()).describe("By reason."),
  redactions: z.record(z.string(), z.number()).describe("By detector."),
  received_at: z.iso.datetime().nullable().describe("Null while the record is pending, like the next two."),
  stored_at: z.iso.datetime().nullable(),
  ruleset: z.string().nullable().describe("Which detectors it passed; changes with them."),
});

export const facetShape = z.object({
  field: z.string(),
  coverage: z.number().describe("Part of the events that have the field, 0 to 1."),
  values: z.array(z.object({ value: z.string(), count: z.int() })),
});

export const distributionShape = z.object({
  field: z.string(),
  count: z.int().describe("Events whose value is a number."),
  min: z.number().nullable(),
  max: z.number().nullable(),
  bins: z
    .array(z.object({ from: z.number(), to: z.number(), count: z.int() }))
    .describe("Narrow where many values are; their counts are estimates."),
  stats: statsShape,
});

export const fieldShape = z.object({
  name: z.string(),
  type: z.enum(["time", "level", "string", "number", "boolean", "json", "null", "mixed"]),
  coverage: z.number(),
});
