/** What people give for a bucket of their own, and what is shown of it. Keys go in and never come out. */

import { storageRights } from "@astralog/chassis";
import { mostDays } from "@astralog/schemas/retention/index";
import { serverEncryptions, storageKinds } from "@astralog/schemas/storage";
import { z } from "zod";
import { nameShape } from "../http/text.ts";

const bucket = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/, "must be 3 to 63 lower-case letters, digits, dots and hyphens");
const prefix = z
  .string()
  .max(200)
  .regex(/^(?:[\w.=-]+\/)*$/, "must be empty or folders such as logs/astralog/, with a slash at the end")
  .refine((text) => !/(?:^|\/)\.{1,2}\//.test(text), "must not hold . or .. as a folder");
const region = z.string().regex(/^[a-z0-9-]{1,40}$/, "must be a region such as eu-central-1");
const endpoint = z
  .url()
  .max(300)
  .refine((text) => {
    const { pathname, search, hash } = new URL(text);
    return pathname === "/" && search === "" && hash === "";
  }, "must have no path, such as https://s3.example.com")
  .describe("Not of s3 and gcs, whose addresses are known.");
const keys = {
  access_key_id: z.string().regex(/^[\x21-\x7e]{3,128}$/, "must be 3 to 128 printable characters"),
  secret_access_key: z.string().regex(/^[\x21-\x7e]{8,256}$/, "must be 8 to 256 printable characters"),
};
const encryption = z.enum(serverEncryptions);
const kmsKey = z
  .string()
  .max(300)
  .regex(/^[\w:/.-]*$/, "must be the ARN or id of a key");

const retentionDays = z
  .int()
  .min(1)
  .max(mostDays)
  .nullable()
  .describe("Days that an event lives in the bucket, from its receipt; null: as long as you leave it there.");

const roleArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,128}$/,
    "must be such as arn:aws:iam::123456789012:role/astralog",
  );

export const newConnection = z
  .strictObject({
    ...{ name: nameShape, kind: z.enum(storageKinds), bucket },
    endpoint: endpoint.optional(),
    region: region.optional().describe("Needed by s3; auto elsewhere when left out."),
    prefix: prefix.default("").describe("Everything is written below it."),
    encryption: encryption
      .default("bucket")
      .describe("Asked of the server with each object; bucket: what the bucket says."),
    kms_key: kmsKey.default(""),
    access_key_id: keys.access_key_id.optional(),
    secret_access_key: keys.secret_access_key.optional(),
    role_arn: roleArn
      .optional()
      .describe("Of kind s3, instead of keys: a role that trusts what GET /storage/identity names."),
    archive: z.boolean().default(true).describe("Whether events are written there."),
    retention_days: retentionDays.default(null),
  })
  .refine(
    ({ access_key_id: id, secret_access_key: secret, role_arn: role }) =>
      role === undefined ? id !== undefined && secret !== undefined : id === undefined && secret === undefined,
    "give access_key_id and secret_access_key, or role_arn",
  )
  .refine(({ kind, role_arn: role }) => role === undefined || kind === "s3", "role_arn goes with kind s3");

export const changedConnection = z
  .strictObject({
    name: nameShape.optional(),
    archive: z.boolean().optional(),
    retention_days: retentionDays.optional(),
    access_key_id: keys.access_key_id.optional(),
    secret_access_key: keys.secret_access_key.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, "name at least one field to change")
  .refine(
    (changes) => (changes.access_key_id === undefined) === (changes.secret_access_key === undefined),
    "give access_key_id and secret_access_key together",
  );

const date = z.iso.datetime();
export const connectionShape = z.object({
  ...{ id: z.string(), name: z.string(), kind: z.enum(storageKinds), endpoint: z.string(), region: z.string() },
  ...{ bucket: z.string(), prefix: z.string(), encryption, kms_key: z.string(), access_key_id: z.string() },
  role_arn: z.string().describe("Empty: the keys open it."),
  ...{
    archive: z.boolean(),
    retention_days: z.int().nullable(),
    version: z.int(),
    problem: z.string(),
    probed_at: date,
    created_at: date,
    updated_at: date,
  },
});

export const identityShape = z.object({
  principal: z.string().nullable().describe("Whom a role must trust; null: this installation takes no roles."),
  external_id: z.string().describe("With which external id alone; it is the organization's, for ever."),
  trust_policy: z.looseObject({}).nullable().describe("To copy into the role."),
});

export const probeShape = z.object({
  ok: z.boolean(),
  lacking: z.enum(storageRights).nullable(),
  problem: z.string(),
});
