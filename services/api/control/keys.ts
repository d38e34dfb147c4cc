/**
 * API keys: made, rotated, revoked. The text of a key exists only in the answer that made it; here are its hash, its
 * prefix and its last four characters. Each change reaches the data plane by the outbox.
 */
import { Fault } from "@astralog/chassis";
import { hashKey, type KeyKind, keyPermissions, makeKey, randomBase62 } from "@astralog/schemas";
import { type By, recordAct } from "../audit/audit-trail.ts";
import type { Caller } from "../http/caller.ts";
import { listOf } from "../http/paging.ts";
import { mustHaveProven } from "../http/step-up.ts";
import { effectiveOfKey, type Sources } from "../organizations/effective.ts";
import { type Giver, mustCover } from "../organizations/grants.ts";
import { mustHaveSources } from "../organizations/sources-of-tenant.ts";
import type { Db, Trx } from "../postgres.ts";
import { announceKey, type KeyRow } from "./outbox.ts";

export interface NewKey {
  kind: KeyKind;
  /** For ingest keys, and only for them: the source they write as. */
  source?: string | undefined;
  name?: string | undefined;
  expires_at?: Date | undefined;
  /** CIDR blocks. */
  ip_allowlist?: string[] | undefined;
  /** Of those its kind has; all of them unless told. */
  permissions?: string[] | undefined;
  /** What a query or admin key may see and manage; all of them unless told. */
  sources?: string[] | undefined;
}

/** `key` is the one chance to see it. */
export interface MadeKey {
  key: string;
  row: KeyRow;
}

/** The operator's commands answer to nobody. */
type KeyGiver = (Giver & Pick<Caller, "session">) | "operator";

/** Whoever makes, renews or ends a key must have what it gives: its text is as good as its permissions. */
const mustHave = (giver: KeyGiver, { kind, source, permissions, sources }: KeyPowers, what: string): void => {
  if (giver === "operator") return;
  // What it may give is as good as what it may do.
  const { grants, sources: seen } = effectiveOfKey({ kind, permissions, sources });
  mustCover(giver, { permissions: grants, sources: source === null ? seen : new Set([source]) }, what);
};
/** An admin key outlives the session that made it, and does as much: whoever takes over a session shall not get one. */
const mustBeHimself = (giver: KeyGiver, kind: KeyKind): void => {
  if (giver !== "operator" && kind === "admin") mustHaveProven(giver.session);
};
type KeyPowers = Pick<KeyRow, "kind" | "source" | "permissions" | "sources">;

/** The sources a key is about. */
export const sourcesOfKey = ({ kind, source, permissions, sources }: KeyRow): Sources =>
  source === null ? effectiveOfKey({ kind, permissions, sources }).sources : new Set([source]);

export const listKeys = listOf("keys");

const insert = async (trx: Trx, tenant: string, wanted: NewKey, rotatedFrom: string | null): Promise<MadeKey> => {
  const key = makeKey(wanted.kind);
  const row = await trx
    .insertInto("keys")
    .values({
      id: `key_${randomBase62(12)}`,
      tenant,
      source: wanted.source ?? null,
      kind: wanted.kind,
      hash: hashKey(key),
      prefix: key.slice(0, 7),
      last4: key.slice(-4),
      name: wanted.name ?? "",
      expires_at: wanted.expires_at ?? null,
      rotated_from: rotatedFrom,
      ip_allowlist: wanted.ip_allowlist ?? [],
      permissions: wanted.permissions ?? [],
      sources: wanted.sources ?? [],
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await announceKey(trx, row);
  return { key, row };
};

const mustFit = ({ kind, source, permissions = [], sources = [] }: NewKey): void => {
  if ((kind === "ingest") !== (source !== undefined)) {
    throw new Fault("invalid_request", "An ingest key needs a source; query and admin keys have none.");
  }
  if (kind === "ingest" && permissions.length + sources.length > 0) {
    throw new Fault("invalid_request", "An ingest key only writes as its source; leave permissions and sources out.");
  }
  const has: readonly string[] = keyPermissions[kind];
  const strange = permissions.find((one) => !has.includes(one));
  if (strange !== undefined)
    throw new Fault("invalid_request", `permissions: a ${kind} key cannot have ${strange}; it has ${has.join(", ")}.`);
};

/**
 * Faults: `not_found` when the tenant has no such source, `invalid_request` when the parts do not fit each other,
 * `forbidden` when it would be able to do more than `giver`, `step_up_required` from a person for an admin key.
 */
export const createKey = (
  db: Db,
  tenant: string,
  wanted: NewKey,
  by: By,
  giver: KeyGiver = "operator",
): Promise<MadeKey> =>
  db.transaction().execute(async (trx) => {
    mustFit(wanted);
    if (wanted.source !== undefined) {
      const source = await trx
        .selectFrom("sources")
        .select("id")
        .where("tenant", "=", tenant)
        .where("id", "=", wanted.source)
        .executeTakeFirst();
      if (source === undefined) throw new Fault("not_found", "There is no such source.");
    }
    await mustHaveSources(trx, tenant, wanted.sources ?? []);
    const { kind, source = null, permissions = [], sources = [] } = wanted;
    mustHave(giver, { kind, source, permissions, sources }, "make this key");
    mustBeHimself(giver, kind);
    const made = await insert(trx, tenant, wanted, null);
    const target = { kind: "key", id: made.row.id };
    await recordAct(trx, by, { tenant, action: "key.created", target, details: aboutKey(made.row) });
    return made;
  });

/** What the audit trail tells of a key. */
const aboutKey = (row: KeyRow) => {
  const { kind, source, name, prefix, last4, expires_at, ip_allowlist, permissions, sources } = row;
  return {
    ...{ kind, source, name, shown: `${prefix}…${last4}`, ip_allowlist, permissions, sources },
    expires_at: expires_at?.toISOString() ?? null,
  };
};

const lock = async (trx: Trx, tenant: string, id: string): Promise<KeyRow> => {
  const row = await trx
    .selectFrom("keys")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such key.");
  return row;
};

const update = async (trx: Trx, id: string, changes: Partial<Pick<KeyRow, "expires_at" | "revoked_at">>) => {
  const row = await trx.updateTable("keys").set(changes).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
  await announceKey(trx, row);
  return row;
};

/**
 * A new key like the old one; the old one goes on for `overlapSeconds` (0: it stops at once).
 * Faults: `not_found`, `key_ended` when the old one is revoked or has expired, `forbidden`, `step_up_required`.
 */
export const rotateKey = (
  db: Db,
  tenant: string,
  id: string,
  overlapSeconds: number,
  by: By,
  giver: KeyGiver = "operator",
): Promise<MadeKey> =>
  db.transaction().execute(async (trx) => {
    const old = await lock(trx, tenant, id);
    mustHave(giver, old, "rotate this key");
    mustBeHimself(giver, old.kind);
    const now = new Date();
    if (old.revoked_at !== null || (old.expires_at !== null && old.expires_at <= now)) {
      throw new Fault("key_ended", "This key is revoked or has expired; create a new one instead.");
    }
    const made = await insert(
      trx,
      tenant,
      {
        kind: old.kind,
        source: old.source ?? undefined,
        name: old.name,
        expires_at: old.expires_at ?? undefined,
        ip_allowlist: old.ip_allowlist,
        permissions: old.permissions,
        sources: old.sources,
      },
      old.id,
    );
    if (overlapSeconds === 0) {
      await update(trx, id, { revoked_at: now });
    } else {
      const end = new Date(now.getTime() + overlapSeconds * 1000);
      if (old.expires_at === null || old.expires_at > end) await update(trx, id, { expires_at: end });
    }
    await recordAct(trx, by, {
      tenant,
      action: "key.rotated",
      target: { kind: "key", id },
      details: { new_key: made.row.id, overlap_seconds: overlapSeconds, ...aboutKey(made.row) },
    });
    return made;
  });

/** Revoking twice changes nothing, and the trail tells of it once. Faults: `not_found`, `forbidden`. */
export const revokeKey = (db: Db, tenant: string, id: string, by: By, giver: KeyGiver = "operator"): Promise<KeyRow> =>
  db.transaction().execute(async (trx) => {
    const row = await lock(trx, tenant, id);
    mustHave(giver, row, "revoke this key");
    if (row.revoked_at !== null) return row;
    const revoked = await update(trx, id, { revoked_at: new Date() });
    await recordAct(trx, by, { tenant, action: "key.revoked", target: { kind: "key", id }, details: aboutKey(row) });
    return revoked;
  });
