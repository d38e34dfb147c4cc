/** What sources' and keys' routes accept and answer. Fields that are not accepted are refused by name. */
import { isIP } from "node:net";
import { keyKinds, tenantPermissions } from "@astralog/schemas";
import { z } from "zod";
import { pageQuery } from "../http/paging.ts";
import { nameShape } from "../http/text.ts";

const cidr = z.string().refine((text) => {
  const [address = "", bits, ...rest] = text.split("/");
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  return family !== 0 && rest.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
}, "must be an address or a CIDR block such as 10.0.0.0/8");

const settings = {
  disabled: z.boolean().optional(),
  retention_days: z.int().min(1).max(3650).optional(),
  partitions: z.int().min(1).max(1000).optional(),
  max_bytes_per_second: z.int().min(0).optional(),
};

export const newSource = z.strictObject({ name: nameShape, ...settings });

export const sourceChanges = z
  .strictObject({ name: nameShape.optional(), ...settings })
  .refine((changes) => Object.keys(changes).length > 0, "name at least one field to change");

export const newKey = z.strictObject({
  kind: z.enum(keyKinds),
  source: z.string().max(64).optional(),
  name: nameShape.optional(),
  expires_at: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .refine((date) => date.getTime() > Date.now(), "must lie in the future")
    .optional(),
  ip_allowlist: z.array(cidr).max(100).optional(),
  permissions: z.array(z.enum(tenantPermissions)).min(1).max(tenantPermissions.length).optional(),
  sources: z.array(z.string().max(64)).min(1).max(100).optional(),
});

/** Seconds the old key goes on; a day unless told otherwise, a month at most. */
export const rotation = z.strictObject({ overlap_seconds: z.int().min(0).max(2_592_000).default(86_400) });

// Answers: JSON has no dates, so a Date is text by the time it is one.
const date = z.iso.datetime();

export const sourceShape = z.object({
  id: z.string(),
  name: z.string(),
  disabled: z.boolean(),
  retention_days: z.int(),
  partitions: z.int(),
  max_bytes_per_second: z.int(),
  created_at: date,
});
export const sourceList = z.object({ sources: z.array(sourceShape), next: z.string().nullable() });

export const keyShape = z.object({
  id: z.string(),
  source: z.string().nullable().describe("What an ingest key writes as."),
  kind: z.enum(keyKinds),
  prefix: z.string(),
  last4: z.string(),
  name: z.string(),
  created_at: date,
  expires_at: date.nullable(),
  revoked_at: date.nullable(),
  rotated_from: z.string().nullable(),
  ip_allowlist: z.array(z.string()),
  permissions: z.array(z.string()).describe("Of those its kind has; empty is all of them."),
  sources: z.array(z.string()).describe("What a query or admin key sees; empty is all of them."),
  last_used_at: date.nullable().describe("To the minute."),
});
export const keyList = z.object({ keys: z.array(keyShape), next: z.string().nullable() });
/** Most have few of them: one page is all. */
export const wholePage = pageQuery.extend({ limit: z.coerce.number().int().min(1).max(1000).default(1000) });
export const madeKeyShape = keyShape.extend({ key: z.string().describe("The one chance to see it.") });
