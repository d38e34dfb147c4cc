import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { statements } from "./migrate.ts";
import { clusterName, forOwn, ownMigrations } from "./own.ts";

const database = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,30}$/);
const cluster = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,30}$/);
const of = (name: string, on: string): string[] =>
  ownMigrations(on).flatMap(({ sql }) => statements(sql, name).map((one) => one.sql));
const tables = ["events", "batches", "dead_letters", "sink_claims", "removals"];
const madeBy = (sql: string): string => /^CREATE TABLE IF NOT EXISTS \w+\.(\w+)/.exec(sql)?.[1] ?? "";

describe("our tables on a customer's server", () => {
  test("on one server each is a plain table under its own name", () => {
    fc.assert(
      fc.property(database, (name) => {
        const made = of(name, "");
        expect(made.map(madeBy)).toEqual(tables);
        for (const sql of made) {
          expect(sql.startsWith(`CREATE TABLE IF NOT EXISTS ${name}.`)).toBe(true);
          expect(sql).not.toMatch(/ON CLUSTER|Replicated|Distributed|_local|\{\w+/);
        }
      }),
    );
  });

  test("on a cluster each is replicated, and one over all shards has its name", () => {
    fc.assert(
      fc.property(database, cluster, (name, on) => {
        const made = of(name, on);
        expect(made.map(madeBy)).toEqual([...tables.map((table) => `${table}_local`), ...tables]);
        for (const [i, sql] of made.entries()) {
          expect(sql.split("\n")[0]).toContain(` ON CLUSTER '${on}'`);
          expect(sql).not.toMatch(/\{(?:table|engine|on_cluster|cluster|database)/);
          const engine = /^ENGINE = (.*)$/m.exec(sql)?.[1] ?? "";
          if (i < tables.length) expect(engine).toMatch(/^Replicated(?:Replacing|Aggregating)?MergeTree$/);
          else
            expect(engine).toContain(
              `Distributed('${on}', '${name}', '${tables[i - tables.length]}_local', cityHash64(`,
            );
        }
        // A server that is put into a cluster's words later knows its migrations again.
        expect(ownMigrations(on).map(({ sha256 }) => sha256)).toEqual(ownMigrations("").map(({ sha256 }) => sha256));
      }),
    );
  });

  test.each(["", "a'b", "a b", "1a", "a)", "a;b", "a\n"])("no such name of a cluster gets into SQL: %j", (name) => {
    expect(() => clusterName(name)).toThrow("cluster name");
    if (name !== "") expect(() => forOwn("SELECT 1", name)).toThrow("cluster name");
  });
});
