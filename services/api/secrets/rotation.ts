/**
 * Renews data keys and seals all that their owners have anew. Which columns hold sealed values stands here as data: a test
 * looks through the whole database for one that is missing.
 */
import { sql } from "kysely";
import type { Db, Trx } from "../postgres.ts";
import type { Envelope } from "./envelope.ts";

interface SealedColumn {
  readonly table: string;
  readonly column: string;
  readonly key: string;
  /** The column that names the owner; undefined where all are the system's. */
  readonly owner?: string;
  /** What the values are bound to, where it is not the column itself. */
  readonly boundTo?: string;
}

export const sealedColumns: readonly SealedColumn[] = [
  { table: "totp_factors", column: "secret", key: "person", owner: "person" },
  { table: "audit_streams", column: "secret", key: "id", owner: "tenant" },
  { table: "audit_streams", column: "secret_before", key: "id", owner: "tenant", boundTo: "audit_streams.secret" },
  { table: "sso_connections", column: "client_secret", key: "id", owner: "tenant" },
  { table: "sso_connections", column: "certificates", key: "id", owner: "tenant" },
  { table: "sso_connections", column: "signing_key", key: "id", owner: "tenant" },
  { table: "storage_connections", column: "secret_access_key", key: "id", owner: "tenant" },
  { table: "storage_connections", column: "client_keys", key: "id", owner: "tenant" },
  { table: "clickhouse_connections", column: "password", key: "id", owner: "tenant" },
  { table: "mail_outbox", column: "mail", key: "id" },
];

const sealAnew = async (trx: Trx, envelope: Envelope, owner: string, of: SealedColumn): Promise<number> => {
  const [table, column, key] = [sql.table(of.table), sql.ref(of.column), sql.ref(of.key)];
  if (of.owner === undefined && owner !== "system") return 0;
  const theirs = of.owner === undefined ? sql`true` : sql`${sql.ref(of.owner)} = ${owner}`;
  const { rows } = await sql<{ key: string; sealed: string }>`
    select ${key}::text as key, ${column} as sealed from ${table}
    where ${theirs} and ${column} like 'v1.%' for update`.execute(trx);
  const place = { owner, column: of.boundTo ?? `${of.table}.${of.column}` };
  for (const row of rows) {
    const sealed = await envelope.seal(trx, place, await envelope.open(trx, place, row.sealed));
    await sql`update ${table} set ${column} = ${sealed} where ${key}::text = ${row.key}`.execute(trx);
  }
  return rows.length;
};

/**
 * Gives each owner, or the one that is named, a new data key, one transaction each. What others seal meanwhile under the
 * key before still opens: retired keys stay, for that and for backups. Returns how many owners and values there were.
 */
export const rotateDataKeys = async (
  db: Db,
  envelope: Envelope,
  only?: string,
): Promise<{ owners: number; values: number }> => {
  const owners = await db
    .selectFrom("data_keys")
    .select("owner")
    .distinct()
    .where("retired_at", "is", null)
    .$if(only !== undefined, (query) => query.where("owner", "=", only ?? ""))
    .execute();
  let values = 0;
  for (const { owner } of owners)
    await db.transaction().execute(async (trx) => {
      await envelope.renew(trx, owner);
      for (const of of sealedColumns) values += await sealAnew(trx, envelope, owner, of);
    });
  return { owners: owners.length, values };
};
