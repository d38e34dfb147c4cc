/** What people give for a bucket of their own, and what is shown of it. Keys go in and never come out. */

import { Fault, storageRights } from "@astralog/chassis";
import { readClientKey } from "@astralog/schemas/encrypted-object";
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

const clientKey = z
  .string()
  .refine(
    (text) => readClientKey(text) !== undefined,
    "must be 32 random bytes in base64, such as openssl rand -base64 32 prints",
  )
  .describe("A key of your own, write-only; left out: one is made, and shown in the answer to this alone.");
export const newClientKeyShape = z.strictObject({ client_key: clientKey.optional() });

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
    client_encryption: z
      .boolean()
      .default(false)
      .describe("Whether objects are encrypted before they leave Astralog; it cannot be changed later."),
    client_key: clientKey.optional(),
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
  .refine(
    ({ client_encryption: encrypted, client_key: key }) => encrypted || key === undefined,
    "client_key goes with client_encryption",
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
  client_encryption: z.boolean().describe("Whether objects are encrypted before they leave Astralog."),
  client_keys: z
    .array(z.object({ id: z.string(), given: z.boolean(), created_at: date }))
    .describe("Ids of the keys that objects were encrypted under, the present one first. Each object names its own."),
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

/** After it was made, or given another key. */
export const keyedConnectionShape = connectionShape.extend({
  client_key: z
    .string()
    .optional()
    .describe(
      "The key that was made here, in base64: keep it. It is shown this once, and reads the bucket without Astralog.",
    ),
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

/** The address of a kind's servers, where it is known. Faults: `invalid_request`. */
export const placeOf = ({
  kind,
  endpoint,
  region,
}: z.output<typeof newConnection>): { endpoint: string; region: string } => {
  if (kind === "s3") {
    if (region === undefined)
      throw new Fault("invalid_request", "region: s3 needs the bucket's, such as eu-central-1.");
    return { endpoint: endpoint ?? `https://s3.${region}.amazonaws.com`, region };
  }
  if (kind === "gcs") return { endpoint: endpoint ?? "https://storage.googleapis.com", region: region ?? "auto" };
  if (endpoint === undefined)
    throw new Fault("invalid_request", `endpoint: ${kind} needs one, such as https://s3.example.com.`);
  return { endpoint, region: region ?? (kind === "r2" ? "auto" : "us-east-1") };
};
