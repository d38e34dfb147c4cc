/**
 * Brings a ClickHouse database to this version's tables: the numbered SQL files beside this one, each applied once, in
 * order, and remembered with its checksum. ClickHouse has no transactions around DDL, so every statement must bear to be
 * run twice (IF NOT EXISTS, or a condition): a crash between a file and its mark, or two migrations at once, then do no harm.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

/** What the migrator needs of a client, so that this package depends on none. */
export interface ClickHouse {
  command(sql: string): Promise<void>;
  rows<T>(sql: string): Promise<T[]>;
}

export interface Migration {
  version: number;
  name: string;
  sha256: string;
  sql: string;
}

export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/** A name that may stand in SQL unquoted. Throws MigrationError on any other. */
export const databaseName = (name: string): string => {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return name;
  throw new MigrationError(
    `The database name "${name}" must be 1 to 63 ASCII letters, digits or _, not beginning with a digit.`,
  );
};

/** The migrations in order. Throws MigrationError when two share a number or one has none. */
export const readMigrations = (folder: URL = new URL(".", import.meta.url)): Migration[] => {
  const migrations = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => {
      const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1];
      if (number === undefined) throw new MigrationError(`${name} must be named 0001_what.sql.`);
      const sql = readFileSync(new URL(name, folder), "utf8");
      return { version: Number(number), name, sha256: createHash("sha256").update(sql).digest("hex"), sql };
    });
  migrations.forEach(({ version, name }, i) => {
    if (version !== i + 1)
      throw new MigrationError(`${name} should have number ${i + 1}: numbers have no gap and no twin.`);
  });
  return migrations;
};

export interface Statement {
  readonly sql: string;
  /** A query; without a row of its answer the statement is left out, because it has done its work. */
  readonly onlyWhile: string | undefined;
}

/**
 * The file's statements, `{database}` filled in. A statement ends with a semicolon at a line's end; what cannot be run
 * twice by itself has a line `-- only while: SELECT …` before it.
 */
export const statements = (sql: string, database: string): Statement[] =>
  sql
    .replaceAll("{database}", databaseName(database))
    .split(/;\s*$/m)
    .map((text) => ({
      sql: text.replace(/^\s*--.*$/gm, "").trim(),
      onlyWhile: /^-- only while: (.*)$/m.exec(text)?.[1],
    }))
    .filter((statement) => statement.sql !== "");

/** Where the mark of what was applied is kept; left out: on one server, whose database is made where it is missing. */
export interface MigrationPlace {
  readonly create?: boolean;
  /** A clause for DDL. */
  readonly onCluster?: string;
  readonly engine?: string;
}

/**
 * Applies what is missing and returns its names. Throws MigrationError, before anything is changed, when a file that was
 * applied has been edited since or is gone.
 */
export const migrateClickHouse = async (
  clickhouse: ClickHouse,
  database: string,
  migrations: readonly Migration[] = readMigrations(),
  place: MigrationPlace = {},
): Promise<string[]> => {
  const table = `${databaseName(database)}.schema_migrations`;
  const { create = true, onCluster = "", engine = "ReplacingMergeTree" } = place;
  if (create) await clickhouse.command(`CREATE DATABASE IF NOT EXISTS ${database}`);
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS ${table}${onCluster} (version UInt32, name String, sha256 String,
     applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = ${engine} ORDER BY version`,
  );
  const applied = await clickhouse.rows<{ version: number; name: string; sha256: string }>(
    `SELECT version, name, sha256 FROM ${table} FINAL ORDER BY version`,
  );
  for (const row of applied) {
    const file = migrations.find((m) => m.version === row.version);
    if (file === undefined)
      throw new MigrationError(`The database has ${row.name}, which this version does not know: it is newer.`);
    if (file.sha256 !== row.sha256)
      throw new MigrationError(`${file.name} was changed after it was applied. Undo that, and add a new file instead.`);
  }
  const missing = migrations.filter((m) => !applied.some((row) => row.version === m.version));
  for (const { version, name, sha256, sql } of missing) {
    for (const { sql: statement, onlyWhile } of statements(sql, database))
      if (onlyWhile === undefined || (await clickhouse.rows(onlyWhile)).length > 0) await clickhouse.command(statement);
    await clickhouse.command(
      `INSERT INTO ${table} (version, name, sha256) VALUES (${version}, '${name}', '${sha256}')`,
    );
  }
  return missing.map((m) => m.name);
};
