/** What the endpoints of single sign-on take and answer. Fields that are not here are refused by name. */
import { domainToASCII } from "node:url";
import { z } from "zod";
import { nameShape as name } from "../http/text.ts";
import { mostXml } from "./xml-elements.ts";

const httpsUrl = z
  .string()
  .max(2_048)
  .refine((text) => URL.canParse(text) && new URL(text).protocol === "https:", "must be an https address");
const certificates = z.array(z.string().min(1).max(16_384)).min(1).max(5);
const clientId = z.string().min(1).max(512);
const clientSecret = z.string().min(1).max(2_048);
const entityId = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[^\s\p{C}]+$/u, "may hold no spaces");

const both = {
  name,
  enabled: z.boolean().optional(),
  admits: z.boolean().optional(),
  role: z.string().min(1).max(64).optional().describe("Of those whom it makes members; never owner."),
};

export const newConnection = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("oidc"),
    ...both,
    issuer: httpsUrl,
    client_id: clientId,
    client_secret: clientSecret,
    trusts_email: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal("saml"),
    ...both,
    issuer: entityId,
    entry_point: httpsUrl,
    logout_url: httpsUrl.optional(),
    certificates,
  }),
]);
export type NewConnection = z.output<typeof newConnection>;

export const connectionChanges = z
  .strictObject({
    ...both,
    name: name.optional(),
    issuer: entityId.optional(),
    client_id: clientId.optional(),
    client_secret: clientSecret.optional(),
    trusts_email: z.boolean().optional(),
    entry_point: httpsUrl.optional(),
    logout_url: httpsUrl.nullable().optional(),
    certificates: certificates.optional(),
  })
  .refine((changes) => Object.keys(changes).length > 0, "name at least one field to change");
export type ConnectionChanges = z.output<typeof connectionChanges>;

const time = z.iso.datetime();
export const connectionShown = z.object({
  id: z.string(),
  kind: z.enum(["oidc", "saml"]),
  name: z.string(),
  enabled: z.boolean(),
  issuer: z.string(),
  client_id: z.string().nullable(),
  entry_point: z.string().nullable(),
  logout_url: z.string().nullable(),
  admits: z.boolean(),
  role: z.string(),
  trusts_email: z.boolean(),
  created_at: time,
  changed_at: time,
  /** What the provider has to be told of us. */
  ours: z.record(z.string(), z.string()),
});

export const metadataSource = z.union([
  // Judged where it is asked, like every address that is.
  z.strictObject({ url: z.string().min(1).max(2_048) }),
  z.strictObject({ xml: z.string().min(1).max(mostXml) }),
]);
/** As `newConnection` takes them, to be looked at first. */
export const metadataRead = z.object({
  issuer: z.string(),
  entry_point: z.string(),
  certificates: z.array(z.string()),
  logout_url: z.string().nullable(),
});

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
export const newDomain = z.strictObject({
  domain: z
    .string()
    .trim()
    .max(253)
    .transform((text) => domainToASCII(text.toLowerCase()))
    .refine((text) => {
      const labels = text.split(".");
      return labels.length > 1 && labels.every((one) => label.test(one)) && !/^\d+$/.test(labels.at(-1) ?? "");
    }, "must be a domain such as example.com"),
});
export const domainShown = z.object({
  id: z.string(),
  domain: z.string(),
  verified_at: time.nullable(),
  created_at: time,
  record: z.object({ type: z.literal("TXT"), name: z.string(), value: z.string() }),
});

export const newScimToken = z.strictObject({
  name,
  expires_at: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .refine((date) => date.getTime() > Date.now(), "must lie in the future")
    .optional(),
});
export const scimTokenShown = z.object({
  id: z.string(),
  name: z.string(),
  last4: z.string(),
  created_at: time,
  expires_at: time.nullable(),
  revoked_at: time.nullable(),
  used_at: time.nullable(),
});
export const scimTokenMade = scimTokenShown.extend({ token: z.string() });

export const policy = z.strictObject({ sso_only: z.boolean() });

export const whereTo = z.object({ redirect: z.string() });
export const ssoQuestion = z.strictObject({ email: z.string().trim().max(254) });
/** Of one page only, whatever else a link to it carries. */
export const beginQuery = z.strictObject({ return_to: z.string().max(2_048).optional() });
/** Providers add parameters of their own; none but these is read. */
export const callbackQuery = z.object({
  code: z.string().max(4_096).optional(),
  state: z.string().max(512).optional(),
  iss: z.string().max(2_048).optional(),
  error: z.string().max(256).optional(),
});
export type CallbackQuery = z.output<typeof callbackQuery>;
export const identityShown = z.object({
  id: z.string(),
  way: z.string(),
  email: z.string(),
  linked_at: time,
  used_at: time,
});
