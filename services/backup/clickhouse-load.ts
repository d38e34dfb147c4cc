/**
 * Fills an empty ClickHouse from a backup. Whether a restore is under way stands in the database itself, in the table
 * `restore_progress`: who is killed begins the table anew in which he was. `sink_claims` gets its name back at the end, and
 * without it no sink writes.
 */
import { Fault } from "@astralog/chassis";
import { databaseName, migrateClickHouse, readMigrations } from "@astralog/schemas/clickhouse";
import type { ClickHouse } from "./clickhouse.ts";
import type { Manifest, TableDump } from "./manifest.ts";
import { contentOf, type Open } from "./vault.ts";

const progress = "restore_progress";
const heldClaims = "restore_sink_claims";
const quoted = (text: string): string => `'${text.replace(/[\\']/g, "\\$&")}'`;

/** What is a record of Kafka is restored as far as the ledger went when the backup began; the rest comes again from Kafka. */
const cutTables: ReadonlySet<string> = new Set(["events", "batches"]);

export type Say = (line: string) => void;

const cut = (raw: Manifest["kafka"]["raw"]): string => {
  const lanes = raw.map(({ topic, partition }) => quoted(`${topic}/${partition}`)).join(", ");
  const highs = raw.map(({ high }) => `toInt64(${high})`).join(", ");
  return raw.length === 0
    ? "0"
    : `toInt64(offset) <= transform(concat(topic, '/', toString(partition)), [${lanes}], [${highs}], toInt64(-1))`;
};

export const createLoad = (clickhouse: ClickHouse, say: Say) => {
  const database = databaseName(clickhouse.database);
  const isThere = async (table: string): Promise<boolean> =>
    (await clickhouse.rows(`SELECT 1 FROM system.tables WHERE database = '${database}' AND name = '${table}'`)).length >
    0;
  /** The backup whose restore was begun, and what of it is done. */
  const begun = async (): Promise<{ backup: string; done: Set<string> } | undefined> => {
    if (!(await isThere(progress))) return undefined;
    const rows = await clickhouse.rows<{ backup: string; done: string }>(
      `SELECT backup, done FROM ${database}.${progress}`,
    );
    return { backup: rows[0]?.backup ?? "", done: new Set(rows.map(({ done }) => done)) };
  };
  const mark = (backup: string, done: string): Promise<void> =>
    clickhouse.command(`INSERT INTO ${database}.${progress} VALUES (${quoted(backup)}, ${quoted(done)})`);

  const loadTable = async ({ name, columns, parts }: TableDump, manifest: Manifest, open: Open): Promise<void> => {
    const names = columns.map((column) => `\`${column.name}\``).join(", ");
    const structure = columns.map(({ name, type }) => `\`${name}\` ${type}`).join(", ");
    const where = cutTables.has(name) ? ` WHERE ${cut(manifest.kafka.raw)}` : "";
    const sql = `INSERT INTO ${database}.${name} (${names}) SELECT ${names} FROM input(${quoted(structure)})${where} FORMAT Native`;
    await clickhouse.command(`TRUNCATE TABLE ${database}.${name} SYNC`);
    for (const { slices } of parts)
      for (const slice of slices) {
        const rows = await clickhouse.write(sql, contentOf(slice, open));
        if (rows !== slice.rows)
          throw new Fault("backup_damaged", `${rows} rows of ${name} came where the manifest says ${slice.rows}.`);
      }
  };

  /** Of which events the ledger says that they are stored, and they neither are there nor were removed. */
  const check = async (): Promise<string[]> => {
    const lacking = await clickhouse.rows<{ topic: string; partition: number; lacking: number }>(
      `SELECT topic, partition, sum(n) AS lacking FROM (
         SELECT topic, partition, toInt64(sum(stored)) AS n FROM ${database}.batches FINAL GROUP BY topic, partition
         UNION ALL SELECT topic, partition, -toInt64(count()) AS n FROM ${database}.events GROUP BY topic, partition
         UNION ALL SELECT topic, partition, -toInt64(sum(bitmapCardinality(gone))) AS n FROM (
           SELECT topic, partition, offset, groupBitmapMergeState(indexes) AS gone FROM ${database}.removals
           WHERE NOT match(removal, '^(dead|bucket):') GROUP BY topic, partition, offset) GROUP BY topic, partition
       ) GROUP BY topic, partition HAVING lacking > 0`,
    );
    return lacking.map((one) => `${one.lacking} of ${one.topic}, partition ${one.partition}`);
  };

  return {
    /** Faults: `not_empty`. */
    requireEmpty: async (id: string): Promise<void> => {
      const other = await begun();
      if (other !== undefined) {
        if (other.backup === id || other.backup === "") return;
        throw new Fault(
          "not_empty",
          `A restore of ${other.backup} was begun here and is not finished: finish it, or drop the database ${database}.`,
        );
      }
      for (const table of ["events", "batches", "dead_letters"]) {
        if (!(await isThere(table))) continue;
        const [row] = await clickhouse.rows<{ n: number }>(`SELECT count() AS n FROM ${database}.${table}`);
        if ((row?.n ?? 0) > 0)
          throw new Fault(
            "not_empty",
            `ClickHouse's ${database}.${table} has ${row?.n} rows: a restore is only made into an empty one.`,
          );
      }
    },
    /** Returns what is not as the ledger says; empty when all is. */
    load: async (manifest: Manifest, open: Open): Promise<string[]> => {
      const migrations = readMigrations();
      if (manifest.clickhouse.version > migrations.length)
        throw new Fault(
          "backup_refused",
          `The backup is of a later release: its ClickHouse has ${manifest.clickhouse.version} migrations, this one knows ${migrations.length}.`,
        );
      const before = await begun();
      if (before === undefined || before.backup === "") {
        await clickhouse.command(`DROP DATABASE IF EXISTS ${database} SYNC`);
        await migrateClickHouse(clickhouse, database, migrations.slice(0, manifest.clickhouse.version));
        await clickhouse.command(
          `CREATE TABLE ${database}.${progress} (backup String, done String) ENGINE = MergeTree ORDER BY done SETTINGS fsync_after_insert = 1`,
        );
        await mark(manifest.id, "");
      } else
        say(`clickhouse: going on with ${[...before.done].filter((one) => one !== "").join(", ") || "nothing"} done`);
      if (!(await isThere(heldClaims)) && !(before?.done.has("all") ?? false))
        await clickhouse.command(`RENAME TABLE ${database}.sink_claims TO ${database}.${heldClaims}`);
      for (const table of manifest.clickhouse.tables) {
        if (before?.done.has(table.name)) continue;
        const at = performance.now();
        await loadTable(table, manifest, open);
        await mark(manifest.id, table.name);
        const [row] = await clickhouse.rows<{ n: number }>(`SELECT count() AS n FROM ${database}.${table.name}`);
        say(`clickhouse: ${table.name} has ${row?.n} rows (${((performance.now() - at) / 1_000).toFixed(1)} s)`);
      }
      return check();
    },
    /** From here on sinks may write. */
    finish: async (manifest: Manifest): Promise<void> => {
      if (!(await isThere(progress))) return;
      await mark(manifest.id, "all");
      if (await isThere(heldClaims))
        await clickhouse.command(`RENAME TABLE ${database}.${heldClaims} TO ${database}.sink_claims`);
      await migrateClickHouse(clickhouse, database);
      await clickhouse.command(`DROP TABLE ${database}.${progress} SYNC`);
    },
  };
};
