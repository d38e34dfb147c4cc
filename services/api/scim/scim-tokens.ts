/** What an organization's directory shows at the SCIM address: made, rotated and revoked like keys, kept as a hash. */
import { Fault } from "@astralog/chassis";
import { hashKey, isScimToken, makeScimToken, randomBase62 } from "@astralog/schemas";
import type { ScimTokenTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Giver, mustCover } from "../organizations/grants.ts";
import type { Db, Trx } from "../postgres.ts";

export type ScimToken = Selectable<ScimTokenTable>;
export interface MadeToken {
  /** Shown once. */
  readonly token: string;
  readonly row: ScimToken;
}

const most = 20;
const seenEveryMs = 60_000;
const target = (id: string) => ({ kind: "scim_token", id });

export const scimTokenView = ({ tenant: _, hash: __, ...shown }: ScimToken) => shown;

export const listScimTokens = (db: Db | Trx, tenant: string): Promise<ScimToken[]> =>
  db.selectFrom("scim_tokens").selectAll().where("tenant", "=", tenant).orderBy("created_at").orderBy("id").execute();

const insert = async (trx: Trx, tenant: string, name: string, expiresAt: Date | null): Promise<MadeToken> => {
  const token = makeScimToken();
  const row = await trx
    .insertInto("scim_tokens")
    .values({
      ...{ id: `sct_${randomBase62(12)}`, tenant, name, hash: hashKey(token), last4: token.slice(-4) },
      ...{ expires_at: expiresAt, revoked_at: null, used_at: null },
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { token, row };
};

/** A directory ends the memberships of owners, too: only owners give it the means. */
const mustBeOwner = (giver: Giver): void =>
  mustCover(giver, { permissions: new Set(["owners.write"]) }, "let a directory make and end members");

/** Faults: `too_many`, `forbidden`. */
export const createScimToken = (
  db: Db,
  tenant: string,
  { name, expires_at: expiresAt }: { readonly name: string; readonly expires_at?: Date | undefined },
  giver: Giver,
  by: By,
): Promise<MadeToken> =>
  db.transaction().execute(async (trx) => {
    mustBeOwner(giver);
    const alive = (await listScimTokens(trx, tenant)).filter((one) => one.revoked_at === null);
    if (alive.length >= most) throw new Fault("too_many", `An organization may have ${most} SCIM tokens.`);
    const made = await insert(trx, tenant, name, expiresAt ?? null);
    await recordAct(trx, by, { tenant, action: "scim.token_created", target: target(made.row.id), details: { name } });
    return made;
  });

const lock = async (trx: Trx, tenant: string, id: string): Promise<ScimToken> => {
  const row = await trx
    .selectFrom("scim_tokens")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such SCIM token.");
  return row;
};

/** A like token; the old one goes on for the overlap. Faults: `not_found`, `key_ended`, `forbidden`. */
export const rotateScimToken = (
  db: Db,
  tenant: string,
  id: string,
  overlapSeconds: number,
  giver: Giver,
  by: By,
): Promise<MadeToken> =>
  db.transaction().execute(async (trx) => {
    const old = await lock(trx, tenant, id);
    mustBeOwner(giver);
    if (old.revoked_at !== null || (old.expires_at !== null && old.expires_at <= new Date()))
      throw new Fault("key_ended", "A token that has ended is not rotated; make a new one.");
    const made = await insert(trx, tenant, old.name, old.expires_at);
    const end = new Date(Date.now() + overlapSeconds * 1_000);
    const expires_at = old.expires_at !== null && old.expires_at < end ? old.expires_at : end;
    await trx.updateTable("scim_tokens").set({ expires_at }).where("id", "=", id).execute();
    const details = { new: made.row.id, overlap_seconds: overlapSeconds };
    await recordAct(trx, by, { tenant, action: "scim.token_rotated", target: target(id), details });
    return made;
  });

/** Faults: `not_found`. */
export const revokeScimToken = (db: Db, tenant: string, id: string, by: By): Promise<ScimToken> =>
  db.transaction().execute(async (trx) => {
    const old = await lock(trx, tenant, id);
    if (old.revoked_at !== null) return old;
    const row = await trx
      .updateTable("scim_tokens")
      .set({ revoked_at: new Date() })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAct(trx, by, { tenant, action: "scim.token_revoked", target: target(id), details: { name: row.name } });
    return row;
  });

/** The token, as long as it is good. */
export const findScimToken = async (db: Db, token: string): Promise<ScimToken | undefined> => {
  // The checksum tells what was never one without asking Postgres.
  if (!isScimToken(token)) return undefined;
  const row = await db.selectFrom("scim_tokens").selectAll().where("hash", "=", hashKey(token)).executeTakeFirst();
  const now = Date.now();
  if (row === undefined || row.revoked_at !== null || (row.expires_at !== null && row.expires_at.getTime() <= now))
    return undefined;
  if (row.used_at === null || now - row.used_at.getTime() > seenEveryMs)
    await db
      .updateTable("scim_tokens")
      .set({ used_at: new Date(now) })
      .where("id", "=", row.id)
      .execute();
  return row;
};
