/** Fills an empty Postgres from a backup: tables of the backup's version, all rows in one transaction, then the later migrations. */
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { Fault } from "@astralog/chassis";
import { type connectSession, migrate, migrationNames } from "@astralog/schemas/postgres";
import type { Manifest, Slice } from "./manifest.ts";
import { keysTable } from "./postgres-dump.ts";
import { contentOf, type Open } from "./vault.ts";

type Session = ReturnType<typeof connectSession>;

const decompress = promisify(zstdDecompress);

const textOf = async (slice: Slice, open: Open): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of contentOf(slice, open)) pieces.push(piece);
  return (await decompress(Buffer.concat(pieces))).toString();
};

/** Stands on the schema from the transaction that filled it. */
const remark = (id: string): string => `restored from ${id}`;

const schemaOf = async (session: Session): Promise<{ name: string; remark: string }> => {
  const { rows } = await session.query<{ name: string; remark: string | null }>(
    "select nspname as name, obj_description(oid, 'pg_namespace') as remark from pg_namespace where nspname = current_schema()",
  );
  return { name: rows[0]?.name ?? "public", remark: rows[0]?.remark ?? "" };
};

/** Whether this backup is restored here already. Faults: `not_empty`. */
export const requireEmptyPostgres = async (session: Session, id: string): Promise<boolean> => {
  const schema = await schemaOf(session);
  if (schema.remark === remark(id)) return true;
  const { rows } = await session.query<{ there: boolean }>("select to_regclass('tenants') is not null as there");
  if (rows[0]?.there !== true) return false;
  const { rows: counts } = await session.query<{ n: number }>("select count(*) as n from tenants");
  const n = Number(counts[0]?.n ?? 0);
  if (n > 0)
    throw new Fault("not_empty", `Postgres has ${n} organization(s): a restore is only made into an empty one.`);
  return false;
};

const insertAll = async (session: Session, table: string, slices: readonly Slice[], open: Open): Promise<number> => {
  const name = session.escapeIdentifier(table);
  let rows = 0;
  for (const slice of slices) {
    const { rowCount } = await session.query(
      `insert into ${name} select * from json_populate_recordset(null::${name}, $1::json)`,
      [await textOf(slice, open)],
    );
    if (rowCount !== slice.rows)
      throw new Fault("backup_damaged", `${rowCount} rows of ${table} came where the manifest says ${slice.rows}.`);
    rows += slice.rows;
  }
  return rows;
};

/** Tables refer to each other and to themselves, so references are looked at when all rows are in. */
const deferReferences = async (session: Session): Promise<() => Promise<void>> => {
  const { rows } = await session.query<{ table: string; name: string }>(
    `select conrelid::regclass::text as table, quote_ident(conname) as name from pg_constraint
     where contype = 'f' and not condeferrable and connamespace = current_schema()::regnamespace`,
  );
  for (const { table, name } of rows)
    await session.query(`alter table ${table} alter constraint ${name} deferrable initially deferred`);
  return async () => {
    await session.query("set constraints all immediate");
    for (const { table, name } of rows)
      await session.query(`alter table ${table} alter constraint ${name} not deferrable`);
  };
};

/** `keys`: the data keys, of the newest backup there is. */
export const loadPostgres = async (deps: {
  url: string;
  session: Session;
  manifest: Manifest;
  open: Open;
  keys: { slices: readonly Slice[]; open: Open };
}): Promise<number> => {
  const { url, session, manifest, open, keys } = deps;
  const { version, tables, sequences } = manifest.postgres;
  if (!migrationNames.includes(version))
    throw new Fault(
      "backup_refused",
      `The backup is of a later release: its Postgres is at ${version}, which this one does not know.`,
    );
  const schema = session.escapeIdentifier((await schemaOf(session)).name);
  await session.query("begin");
  await session.query(`drop schema ${schema} cascade`);
  await session.query(`create schema ${schema}`);
  await session.query("commit");
  await migrate(url, version);
  await session.query("begin");
  try {
    const settle = await deferReferences(session);
    let rows = 0;
    for (const { name, slices } of tables) rows += await insertAll(session, name, slices, open);
    rows += await insertAll(session, keysTable, keys.slices, keys.open);
    for (const { name, last } of sequences)
      await session.query("select setval(quote_ident($1)::regclass, $2::bigint)", [name, last]);
    await settle();
    await session.query(`comment on schema ${schema} is ${session.escapeLiteral(remark(manifest.id))}`);
    await session.query("commit");
    await migrate(url);
    return rows;
  } catch (error) {
    await session.query("rollback").catch(() => undefined);
    throw error;
  }
};
