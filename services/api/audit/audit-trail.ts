/**
 * Adds to a tenant's audit trail, in the transaction of the act itself: neither exists without the other. The lock on
 * the chain's end puts the acts of one tenant in order, without gaps; its signed head goes into the outbox with it.
 */
import {
  type ActorKind,
  type AuditAction,
  type AuditEvent,
  type AuditResult,
  type AuditSigner,
  auditHash,
  canonicalJson,
  chainStart,
  type Json,
} from "@astralog/schemas";
import { sql } from "kysely";
import { announceHead } from "../control/outbox.ts";
import type { Db, Trx } from "../postgres.ts";

/** Who acts, from where, and what signs for it. */
export interface By {
  readonly signer: AuditSigner;
  /** Without a name, a key is shown by its own. */
  readonly actor: { readonly kind: ActorKind; readonly id: string; readonly name?: string };
  readonly where: AuditEvent["where"];
}

export interface Act {
  readonly tenant: string;
  readonly action: AuditAction;
  readonly target: AuditEvent["target"];
  readonly result?: AuditResult;
  readonly details?: { readonly [name: string]: Json };
}

/** Whoever runs one of the api's commands on a machine that has its secrets. */
export const byOperator = (signer: AuditSigner, command: string): By => ({
  signer,
  actor: { kind: "operator", id: command, name: "" },
  where: { ip: "", user_agent: "", request_id: "" },
});

/** What happens by itself, in time. */
export const bySystem = (signer: AuditSigner): By => ({
  signer,
  actor: { kind: "system", id: "api", name: "" },
  where: { ip: "", user_agent: "", request_id: "" },
});

const longestText = 256;
// C0, DEL, C1, bidirectional controls, line separators: a trail is read on terminals and in spreadsheets.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;
/** What may be a key, or the beginning of one: people paste them everywhere. */
const keyLike = /(al_(?:ing|qry|adm|scm)_)[0-9A-Za-z]+/g;

/** Text as a trail keeps it: on one line, bounded, and never with a key in it. */
export const auditText = (text: string): string =>
  text.toWellFormed().replace(keyLike, "$1…").replace(unsafe, "?").slice(0, longestText).toWellFormed();

const auditJson = (value: Json): Json => {
  if (typeof value === "string") return auditText(value);
  if (Array.isArray(value)) return value.map(auditJson);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [auditText(name), auditJson(inner as Json)]));
};

/** Where a chain ends, locked until the transaction does. */
const lockChain = async (trx: Trx, tenant: string): Promise<{ seq: number; hash: string; at: Date }> => {
  const ask = () =>
    trx.selectFrom("audit_chains").select(["seq", "hash", "at"]).where("tenant", "=", tenant).forUpdate();
  const found = await ask().executeTakeFirst();
  if (found !== undefined) return found;
  await trx
    .insertInto("audit_chains")
    .values({ tenant, seq: 0, hash: chainStart, at: new Date(0), key_id: "", signature: "" })
    .onConflict((conflict) => conflict.column("tenant").doNothing())
    .execute();
  return ask().executeTakeFirstOrThrow();
};

const nameOfKey = async (trx: Trx, id: string): Promise<string> => {
  const key = await trx.selectFrom("keys").select(["name", "prefix", "last4"]).where("id", "=", id).executeTakeFirst();
  if (key === undefined) return "";
  return key.name === "" ? `${key.prefix}…${key.last4}` : auditText(key.name);
};

/** Call it last in the transaction: from here on the tenant's other acts wait. */
export const recordAct = async (trx: Trx, { signer, actor, where }: By, act: Act): Promise<AuditEvent> => {
  const { tenant } = act;
  const end = await lockChain(trx, tenant);
  const name = actor.name ?? (actor.kind === "key" ? await nameOfKey(trx, actor.id) : "");
  const unhashed = {
    v: 1 as const,
    tenant,
    seq: end.seq + 1,
    // A clock that was put back does not put the trail out of order.
    at: new Date(Math.max(Date.now(), end.at.getTime())).toISOString(),
    actor: { kind: actor.kind, id: auditText(actor.id), name: auditText(name) },
    action: act.action,
    target: { kind: act.target.kind, id: auditText(act.target.id) },
    where: {
      ip: auditText(where.ip),
      user_agent: auditText(where.user_agent),
      request_id: auditText(where.request_id),
    },
    result: act.result ?? ("ok" as const),
    details: auditJson(act.details ?? {}) as AuditEvent["details"],
    prev: end.hash,
  };
  const event: AuditEvent = { ...unhashed, hash: auditHash(unhashed) };
  await trx.insertInto("audit_events").values(auditRow(event)).execute();
  const head = signer.sign(event);
  const { seq, hash, key_id, signature } = head;
  await trx
    .updateTable("audit_chains")
    .set({ seq, hash, at: new Date(event.at), key_id, signature })
    .where("tenant", "=", tenant)
    .execute();
  await announceHead(trx, head);
  return event;
};

/** The columns of an event. */
export const auditRow = (event: AuditEvent) => ({
  tenant: event.tenant,
  seq: event.seq,
  at: new Date(event.at),
  actor_kind: event.actor.kind,
  actor_id: event.actor.id,
  actor_name: event.actor.name,
  action: event.action,
  target_kind: event.target.kind,
  target_id: event.target.id,
  ...event.where,
  result: event.result,
  details: canonicalJson(event.details),
  prev: event.prev,
  hash: event.hash,
});

/** Whether this login could change what stands in the trails; then only their chains and heads would tell. */
export const mayChangeTrails = async (db: Db): Promise<boolean> => {
  const { rows } = await sql<{ may: boolean }>`
    select has_table_privilege('audit_events', 'update, delete, truncate, trigger') as may`.execute(db);
  return rows[0]?.may === true;
};
