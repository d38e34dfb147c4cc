/**
 * What a secret scanner found is looked up among our keys by hash; what is a key of ours is revoked, in one transaction
 * with the audit event that tells its owner. A key found in public is no secret any more, whatever it was used for.
 */
import { createHash, type KeyObject, verify } from "node:crypto";
import { hashKey, keyKind } from "@astralog/schemas";
import { z } from "zod";
import type { By } from "../audit/audit-trail.ts";
import { revokeKey } from "../control/keys.ts";
import type { Db } from "../postgres.ts";

/** One post holds far fewer. */
const mostTokens = 1_000;

export const foundTokens = z
  .array(
    z.object({
      token: z.string().max(1_024),
      type: z.string().max(256),
      url: z.string().max(2_048).nullish(),
      source: z.string().max(64).nullish(),
    }),
  )
  .max(mostTokens);
export type FoundToken = z.output<typeof foundTokens>[number];

/** Whether the holder of the key signed these very bytes: ECDSA with SHA-256, in base64. */
export const isSigned = (body: Buffer, signature: string, key: KeyObject): boolean =>
  /^[A-Za-z0-9+/]{1,256}={0,2}$/.test(signature) && verify("sha256", body, key, Buffer.from(signature, "base64"));

export interface Verdict {
  /** SHA-256 in base64: the answer needs not repeat a secret. */
  readonly token_hash: string;
  readonly token_type: string;
  readonly label: "true_positive" | "false_positive";
}

/** A key that was found in public and is revoked now; never the key itself. */
export interface LeakedKey {
  readonly key: string;
  readonly source: string | null;
  readonly name: string;
  /** `al_ing…last4`. */
  readonly shown: string;
  /** Where it was found, as the scanner says. */
  readonly url: string;
}

/** Tells the people of a tenant. Its failure changes nothing about the revocation. */
export type Notify = (tenant: string, event: { readonly kind: "key_leaked" } & LeakedKey) => Promise<void>;

export const revokeFound = async (
  { db, notify }: { db: Db; notify: Notify },
  tokens: readonly FoundToken[],
  by: By,
): Promise<Verdict[]> => {
  const verdicts: Verdict[] = [];
  for (const { token, type, url } of tokens) {
    const verdict = (label: Verdict["label"]) => ({
      token_hash: createHash("sha256").update(token).digest("base64"),
      token_type: type,
      label,
    });
    // The checksum tells what was never a key without asking Postgres.
    const known =
      keyKind(token) === undefined
        ? undefined
        : await db.selectFrom("keys").selectAll().where("hash", "=", hashKey(token)).executeTakeFirst();
    if (known !== undefined && known.revoked_at === null) {
      const { id, tenant, source, name, prefix, last4 } = known;
      await revokeKey(db, tenant, id, by);
      await notify(tenant, { kind: "key_leaked", key: id, source, name, shown: `${prefix}…${last4}`, url: url ?? "" });
    }
    verdicts.push(verdict(known === undefined ? "false_positive" : "true_positive"));
  }
  return verdicts;
};
