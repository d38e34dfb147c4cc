/**
 * Reads all tables of Postgres in one snapshot, row by row as JSON that Postgres itself writes and reads back, so each value
 * returns as it was. The program that would do it otherwise is not everywhere that this runs.
 */
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { connectSession } from "@astralog/schemas/postgres";
import type { Manifest, Slice } from "./manifest.ts";
import type { Writer } from "./vault.ts";

type Session = ReturnType<typeof connectSession>;

const compress = promisify(zstdCompress);

/** An arbitrary number, of ours alone among the advisory locks of the database: one backup, or restore, at a time. */
const backupLock = 4_703_003;

const rowsAtOnce = 2_000;
/** Rows are gathered to about so many bytes, and read back with one statement. */
const sliceBytes = 4 * 2 ** 20;

/** What a snapshot cannot have made: migrations make these. */
const ofMigrations = ["kysely_migration", "kysely_migration_lock"];
export const keysTable = "data_keys";

export const tablesOf = async (session: Session): Promise<string[]> =>
  (
    await session.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = current_schema() and tablename <> all($1) order by 1`,
      [ofMigrations],
    )
  ).rows.map(({ name }) => name);

/** Runs `work` unless another holds the lock, which a killed process lets go of. Returns whether it ran. */
export const withLock = async (url: string, work: (session: Session) => Promise<void>): Promise<boolean> => {
  const session = connectSession(url);
  await session.connect();
  // Its end is heard by the statement that is under way, or by the next.
  session.on("error", () => undefined);
  try {
    const { rows } = await session.query<{ free: boolean }>("select pg_try_advisory_lock($1) as free", [backupLock]);
    if (rows[0]?.free !== true) return false;
    await work(session);
    return true;
  } finally {
    await session.end().catch(() => undefined);
  }
};

async function* once(buffer: Buffer): AsyncGenerator<Buffer> {
  yield buffer;
}

const dumpTable = async (session: Session, table: string, writer: Writer): Promise<Slice[]> => {
  const slices: Slice[] = [];
  let lines: string[] = [];
  let length = 0;
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    const plain = await compress(Buffer.from(`[${lines.join(",\n")}]`));
    slices.push({ rows: lines.length, pieces: await writer.store(once(plain)) });
    [lines, length] = [[], 0];
  };
  await session.query(
    `declare dump no scroll cursor for select to_json(t)::text as line from ${session.escapeIdentifier(table)} t`,
  );
  for (;;) {
    const { rows } = await session.query<{ line: string }>(`fetch ${rowsAtOnce} from dump`);
    for (const { line } of rows) {
      lines.push(line);
      length += line.length;
      if (length >= sliceBytes) await flush();
    }
    if (rows.length < rowsAtOnce) break;
  }
  await session.query("close dump");
  await flush();
  return slices;
};

export const dumpPostgres = async (session: Session, writer: Writer): Promise<Manifest["postgres"]> => {
  await session.query("begin isolation level repeatable read, read only");
  try {
    const { rows: versions } = await session.query<{ name: string }>("select max(name) as name from kysely_migration");
    const dumped: { name: string; slices: Slice[] }[] = [];
    for (const name of await tablesOf(session)) dumped.push({ name, slices: await dumpTable(session, name, writer) });
    const { rows: sequences } = await session.query<{ name: string; last: string }>(
      `select sequencename as name, last_value::text as last from pg_sequences
       where schemaname = current_schema() and last_value is not null order by 1`,
    );
    return {
      version: versions[0]?.name ?? "",
      tables: dumped.filter(({ name }) => name !== keysTable),
      keys: dumped.find(({ name }) => name === keysTable)?.slices ?? [],
      sequences,
    };
  } finally {
    await session.query("rollback");
  }
};
