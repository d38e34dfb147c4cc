/** What the producers' routes accept and answer. */
import { z } from "zod";
import { pauses } from "./standing.ts";

export const newProducer = z.strictObject({
  source: z.string().max(64),
  name: z
    .string()
    .trim()
    .max(100)
    .regex(/^[^\p{C}]*$/u, "may hold no control characters")
    .optional(),
  expires_at: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .refine((date) => date.getTime() > Date.now(), "must lie in the future")
    .optional(),
});

const date = z.iso.datetime();

export const producerShape = z.object({
  id: z.string(),
  source: z.string(),
  name: z.string(),
  username: z.string().describe("The Kafka user, for SCRAM-SHA-256."),
  topic: z.string().describe("The one topic it may write to."),
  created_at: date,
  expires_at: date.nullable(),
  revoked_at: date.nullable(),
  rotated_from: z.string().nullable(),
  paused: z
    .enum(pauses)
    .nullable()
    .describe("Why Kafka refuses it for now; null where it does not, or where it has ended for good."),
});
export const producerList = z.object({ producers: z.array(producerShape), next: z.string().nullable() });

export const madeProducerShape = producerShape.extend({
  password: z.string().describe("Shown this once."),
  schema_id: z.int().describe("Of Event, for producers that cannot reach the registry."),
  brokers: z.string(),
  tls: z.boolean(),
  registry: z.string(),
});
