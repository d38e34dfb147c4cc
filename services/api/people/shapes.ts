/** What the endpoints of people take and answer. */
import { z } from "zod";
import { tokenForm } from "./tokens.ts";

export const email = z.string().trim().max(254).pipe(z.email("must be an e-mail address such as ann@example.com"));
export const name = z
  .string()
  .trim()
  .max(100)
  .regex(/^[^\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]*$/u, "must be plain text on one line");
export const linkToken = z.string().regex(tokenForm, "is no link's code");
export const appCode = z
  .string()
  .transform((text) => text.replace(/\s/g, ""))
  .pipe(z.string().regex(/^\d{6}$/, "must be six digits"));
export const recoveryCode = z.string().min(10).max(64);
/** What navigator.credentials gave, as JSON. It is checked where it is verified. */
export const browserAnswer = z.looseObject({ id: z.string().max(1_024) });
/** Options for navigator.credentials. */
export const browserOptions = z.looseObject({ challenge: z.string() });

export const person = z.object({ id: z.string(), email: z.string(), name: z.string() });
export const signedIn = z.object({ person, second_factor_needed: z.boolean() });
const time = z.iso.datetime();
export const sessionView = z.object({
  id: z.string(),
  current: z.boolean(),
  method: z.string(),
  created_at: time,
  seen_at: time,
  expires_at: time,
  ip: z.string(),
  user_agent: z.string(),
  mfa_at: time.nullable(),
});
export const passkeyView = z.object({
  id: z.string(),
  name: z.string(),
  synced: z.boolean(),
  created_at: time,
  used_at: time.nullable(),
});
export const factorsView = z.object({
  totp: time.nullable(),
  passkeys: z.array(passkeyView),
  recovery_codes: z.int(),
});
/** Codes are shown in the answer that makes them; the list is empty when there were some before. */
export const withCodes = z.object({ recovery_codes: z.array(z.string()) });
/** A change of factors may end whatever somebody else has begun. */
export const endOthers = { end_other_sessions: z.boolean().default(false) };
