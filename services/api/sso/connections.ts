/**
 * Organizations' identity providers. What a provider gave us to prove ourselves to it, and what it signs with, is sealed
 * and never shown again. An identity belongs to the connection that vouched for it and goes with it, its sessions too.
 */
import { X509Certificate } from "node:crypto";
import { Fault, type Outgoing } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { SsoConnectionTable } from "@astralog/schemas/postgres";
import type { Selectable, Updateable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { effectiveOfMember } from "../organizations/effective.ts";
import { type Giver, mustCover } from "../organizations/grants.ts";
import { mustCoverRole } from "../organizations/members.ts";
import { factsOf } from "../organizations/memberships.ts";
import { type Db, isUniqueViolation, type Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import type { ConnectionChanges, NewConnection } from "./sso-shapes.ts";

export type Connection = Selectable<SsoConnectionTable>;

/** A connection with what is sealed in it. */
export type OpenConnection = Connection & { readonly secret: string; readonly pems: readonly string[] };

export interface ConnectionDeps {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly outgoing: Outgoing;
}

/** What those get whom a provider or a directory brings, unless told otherwise. */
export const leastRole = "read-only";
const most = 20;
const secretOf = (tenant: string) => ({ owner: tenant, column: "sso_connections.client_secret" });
const certificatesOf = (tenant: string) => ({ owner: tenant, column: "sso_connections.certificates" });
const missing = (): Fault => new Fault("not_found", "There is no such connection.");

/** Neither the secret nor the certificates. */
export const connectionView = (row: Connection) => {
  const {
    tenant: _,
    client_secret: __,
    certificates: ___,
    signing_key: ____,
    signing_certificate: _____,
    ...shown
  } = row;
  return shown;
};

export const listConnections = (db: Db, tenant: string): Promise<Connection[]> =>
  db
    .selectFrom("sso_connections")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at")
    .orderBy("id")
    .execute();

/** Faults: `not_found`. */
export const findConnection = async (db: Db | Trx, tenant: string, id: string): Promise<Connection> => {
  const found = await db
    .selectFrom("sso_connections")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (found === undefined) throw missing();
  return found;
};

/** One that somebody may sign in with. Faults: `not_found`. */
export const openConnection = async ({ db, envelope }: ConnectionDeps, id: string): Promise<OpenConnection> => {
  const row = await db
    .selectFrom("sso_connections")
    .selectAll()
    .where("id", "=", id)
    .where("enabled", "=", true)
    .executeTakeFirst();
  if (row === undefined) throw missing();
  return unseal(db, envelope, row);
};

export const unseal = async (db: Db, envelope: Envelope, row: Connection): Promise<OpenConnection> => ({
  ...row,
  secret: row.client_secret === null ? "" : await envelope.open(db, secretOf(row.tenant), row.client_secret),
  pems:
    row.certificates === null
      ? []
      : (JSON.parse(await envelope.open(db, certificatesOf(row.tenant), row.certificates)) as string[]),
});

/** Each as PEM. Faults: `invalid_request`. */
export const readCertificates = (texts: readonly string[]): X509Certificate[] =>
  texts.map((text, i) => {
    const body = text.replace(/-----(?:BEGIN|END) CERTIFICATE-----/g, "").replace(/\s/g, "");
    try {
      const certificate = new X509Certificate(Buffer.from(body, "base64"));
      const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = certificate.publicKey;
      if (kind === "rsa" && (details?.modulusLength ?? 0) >= 2048) return certificate;
    } catch (cause) {
      throw new Fault("invalid_request", `certificates.${i} is no certificate in PEM.`, { cause });
    }
    throw new Fault("invalid_request", `certificates.${i} must be of an RSA key of 2048 bits or more.`);
  });

/** Whoever lets a provider give a role must have what it gives. */
const checkRole = async (trx: Trx, tenant: string, role: string | undefined, giver: Giver): Promise<void> => {
  if (role === undefined) return;
  if (role === "owner") throw new Fault("invalid_request", "role must not be owner: owners are made by owners.");
  await mustCoverRole(trx, giver, tenant, { role, sources: null }, "let a provider give this role");
};

/** What decides who is vouched for. */
const vouching = ["issuer", "client_id", "client_secret", "entry_point", "certificates", "logout_url"] as const;

/** Whoever says who vouches could come in as any of those who are vouched for: he must have what each of them has. */
const mustCoverVouched = async (trx: Trx, { id, tenant }: Connection, giver: Giver): Promise<void> => {
  const people = await trx.selectFrom("identities").select("person").distinct().where("connection", "=", id).execute();
  for (const { person } of people) {
    const facts = await factsOf(trx, tenant, person);
    if (facts !== undefined) mustCover(giver, effectiveOfMember(facts), "change who vouches for its members");
  }
};

/** What of it is kept as it is, and what is sealed. Faults: `invalid_request`, `address_refused`. */
const columnsOf = async (
  { envelope, outgoing }: ConnectionDeps,
  trx: Trx,
  tenant: string,
  kind: Connection["kind"],
  given: ConnectionChanges,
  giver: Giver,
): Promise<Updateable<SsoConnectionTable>> => {
  const { client_secret: secret, certificates, ...plain } = given;
  const alien =
    kind === "oidc"
      ? (["entry_point", "certificates", "logout_url"] as const)
      : (["client_id", "client_secret", "trusts_email"] as const);
  const wrong = alien.find((name) => given[name] !== undefined);
  if (wrong !== undefined) throw new Fault("invalid_request", `${wrong} is nothing that a connection by ${kind} has.`);
  if (kind === "oidc" && plain.issuer !== undefined) outgoing.check(plain.issuer);
  await checkRole(trx, tenant, plain.role, giver);
  const pems = certificates === undefined ? undefined : readCertificates(certificates).map(String);
  const kept = Object.entries(plain).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(kept) as Updateable<SsoConnectionTable>),
    ...(secret === undefined ? {} : { client_secret: await envelope.seal(trx, secretOf(tenant), secret) }),
    ...(pems === undefined
      ? {}
      : { certificates: await envelope.seal(trx, certificatesOf(tenant), JSON.stringify(pems)) }),
  };
};

const named = async <T>(name: string | undefined, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault("name_taken", `A connection named ${JSON.stringify(name)} exists already.`);
  }
};

const target = (id: string) => ({ kind: "sso_connection", id });

/** Faults: `invalid_request`, `address_refused`, `forbidden`, `name_taken`, `too_many`. */
export const createConnection = (deps: ConnectionDeps, tenant: string, wanted: NewConnection, giver: Giver, by: By) =>
  named(wanted.name, () =>
    deps.db.transaction().execute(async (trx): Promise<Connection> => {
      const { length } = await trx.selectFrom("sso_connections").select("id").where("tenant", "=", tenant).execute();
      if (length >= most) throw new Fault("too_many", `An organization may have ${most} connections.`);
      const { kind, name, issuer, ...rest } = wanted;
      const columns = await columnsOf(deps, trx, tenant, kind, { role: leastRole, name, issuer, ...rest }, giver);
      const row = await trx
        .insertInto("sso_connections")
        .values({
          ...{ client_id: null, client_secret: null, entry_point: null, certificates: null, logout_url: null },
          ...columns,
          ...{ id: `sso_${randomBase62(12)}`, tenant, kind, name, issuer },
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      const details = { kind, name, issuer, role: row.role, admits: row.admits };
      await recordAct(trx, by, { tenant, action: "sso.connection_created", target: target(row.id), details });
      return row;
    }),
  );

/** `unchanged` may refuse what somebody else has changed meanwhile. Faults: as `createConnection`, and `not_found`. */
export const changeConnection = (
  deps: ConnectionDeps,
  tenant: string,
  id: string,
  changes: ConnectionChanges,
  giver: Giver,
  by: By,
  unchanged: (row: Connection) => void,
) =>
  named(changes.name, () =>
    deps.db.transaction().execute(async (trx): Promise<Connection> => {
      const before = await trx
        .selectFrom("sso_connections")
        .selectAll()
        .where("tenant", "=", tenant)
        .where("id", "=", id)
        .forUpdate()
        .executeTakeFirst();
      if (before === undefined) throw missing();
      unchanged(before);
      if (vouching.some((name) => changes[name] !== undefined)) await mustCoverVouched(trx, before, giver);
      const columns = await columnsOf(deps, trx, tenant, before.kind, changes, giver);
      const row = await trx
        .updateTable("sso_connections")
        .set({ ...columns, changed_at: new Date() })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      // Names of what changed: a secret's new value is nobody's to read.
      const details = { changed: Object.keys(columns).sort(), was: before.issuer, issuer: row.issuer };
      await recordAct(trx, by, { tenant, action: "sso.connection_changed", target: target(id), details });
      return row;
    }),
  );

/** Faults: `not_found`. */
export const deleteConnection = ({ db }: ConnectionDeps, tenant: string, id: string, by: By): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const { kind, name } = await findConnection(trx, tenant, id);
    await trx
      .deleteFrom("sessions")
      .where("organization", "=", tenant)
      .where("method", "=", kind)
      .where("person", "in", trx.selectFrom("identities").select("person").where("connection", "=", id))
      .execute();
    await trx.deleteFrom("sso_connections").where("id", "=", id).execute();
    await recordAct(trx, by, {
      ...{ tenant, action: "sso.connection_deleted", target: target(id), details: { kind, name } },
    });
  });
