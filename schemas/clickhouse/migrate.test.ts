import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "@jest/globals";
import { type ClickHouse, databaseName, migrateClickHouse, readMigrations, statements } from "./migrate.ts";

/** Remembers what was run; knows of SQL only what the migrator's own table needs. */
const recorder = () => {
  const ran: string[] = [];
  const marks: { version: number; name: string; sha256: string }[] = [];
  const clickhouse: ClickHouse = {
    command: async (sql) => {
      const mark = /INSERT INTO \w+\.schema_migrations .*VALUES \((\d+), '([^']+)', '([^']+)'\)/.exec(sql);
      if (mark === null) ran.push(sql);
      else marks.push({ version: Number(mark[1]), name: mark[2] ?? "", sha256: mark[3] ?? "" });
    },
    rows: async <T>() => marks.map((mark) => ({ ...mark })) as T[],
  };
  return { ran, marks, clickhouse };
};

const folderOf = (files: Record<string, string>): URL => {
  const folder = mkdtempSync(join(tmpdir(), "migrations-"));
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(folder, name), sql);
  return pathToFileURL(`${folder}/`);
};

test("each file is applied once, in order, and remembered", async () => {
  const { marks, clickhouse } = recorder();
  const all = readMigrations();
  expect(await migrateClickHouse(clickhouse, "astralog")).toEqual(all.map((m) => m.name));
  expect(marks.map((m) => m.version)).toEqual(all.map((_, i) => i + 1));
  expect(await migrateClickHouse(clickhouse, "astralog")).toEqual([]);
});

test("a file that was changed after it was applied is refused before anything runs", async () => {
  const { ran, clickhouse } = recorder();
  await migrateClickHouse(clickhouse, "a", readMigrations(folderOf({ "0001_a.sql": "SELECT 1;" })));
  const before = ran.filter((sql) => sql.startsWith("SELECT")).length;
  const changed = readMigrations(folderOf({ "0001_a.sql": "SELECT 2;", "0002_b.sql": "SELECT 3;" }));
  await expect(migrateClickHouse(clickhouse, "a", changed)).rejects.toThrow("0001_a.sql was changed");
  expect(ran.filter((sql) => sql.startsWith("SELECT"))).toHaveLength(before);
});

test("a database that is newer than the files is refused", async () => {
  const { clickhouse } = recorder();
  await migrateClickHouse(clickhouse, "a", readMigrations(folderOf({ "0001_a.sql": "SELECT 1;" })));
  await expect(migrateClickHouse(clickhouse, "a", [])).rejects.toThrow("newer");
});

test("numbers have no gap and no twin, names have a form", () => {
  expect(() => readMigrations(folderOf({ "0002_a.sql": "" }))).toThrow("number 1");
  expect(() => readMigrations(folderOf({ "0001_a.sql": "", "0001_b.sql": "" }))).toThrow("number 2");
  expect(() => readMigrations(folderOf({ "1.sql": "" }))).toThrow("0001_what.sql");
});

test("statements end at a line's end, comments do not count, and the database's name cannot carry SQL", () => {
  const text = "-- a; b\nSELECT ';' FROM {database}.x;\n\n-- only while: SELECT 1 FROM {database}.y\nSELECT 2\n;\n";
  expect(statements(text, "db")).toEqual([
    { sql: "SELECT ';' FROM db.x", onlyWhile: undefined },
    { sql: "SELECT 2", onlyWhile: "SELECT 1 FROM db.y" },
  ]);
  expect(() => databaseName("a; DROP DATABASE b")).toThrow("database name");
});

test("every statement bears to be run twice", () => {
  for (const { sql, name } of readMigrations())
    for (const { sql: statement, onlyWhile } of statements(sql, "db"))
      expect({
        name,
        statement,
        again: onlyWhile !== undefined || /IF NOT EXISTS|IF EXISTS|OR REPLACE/.test(statement),
      }).toEqual({
        name,
        statement,
        again: true,
      });
});

test("a statement whose condition has no row any more is left out", async () => {
  const { ran, clickhouse } = recorder();
  const rows = async <T>(sql: string) => (sql === "SELECT done" ? [] : await clickhouse.rows<T>(sql));
  const files = folderOf({
    "0001_a.sql": "-- only while: SELECT done\nDROP TABLE x;\n-- only while: SELECT left\nSELECT 5;",
  });
  await migrateClickHouse(
    { ...clickhouse, rows: async <T>(sql: string) => (sql === "SELECT left" ? ([{}] as T[]) : rows<T>(sql)) },
    "a",
    readMigrations(files),
  );
  expect(ran).not.toContain("DROP TABLE x");
  expect(ran).toContain("SELECT 5");
});
