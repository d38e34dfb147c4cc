/** For tests of backups: a stack of its own over a bucket of its own, and what is in both. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type BucketServer,
  choosePorts,
  restoreEnv,
  root,
  runScript,
  type Stack,
  serviceEnv,
  startBucketServer,
  state,
} from "@astralog/local";
import { connectSession } from "@astralog/schemas/postgres";
import { askAs, ownStack, type Platform, platform, type Sql } from "@astralog/testbed";

export interface World {
  readonly stack: Stack;
  readonly one: Platform;
  readonly sql: Sql;
  /** A statement without an answer. */
  command(statement: string): Promise<void>;
  /** Of the service, and of backups.ts. */
  readonly env: Record<string, string>;
  readonly restoreEnv: Record<string, string>;
  /** Files of the bucket. */
  objects(): string[];
  backups(...args: string[]): Promise<Record<string, unknown>[]>;
  restore(...args: string[]): Promise<Record<string, unknown>>;
  /** Starts a script and kills it with -9 once `reached` holds, which sees what it has said on standard error. */
  killAt(script: string, args: readonly string[], reached: (said: string) => boolean): Promise<void>;
  /** Every row of every table, as text. */
  rowsOfPostgres(): Promise<Record<string, string[]>>;
  /** How many rows, and a sum over every column of every row, but for when it came into the table. */
  sums(): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export const startWorld = async (): Promise<World> => {
  const folder = mkdtempSync(join(state, "backup-bucket-"));
  const { port } = await choosePorts({ port: 0 });
  const secretAccessKey = "of-this-test-alone";
  const [server, stack]: [BucketServer, Stack] = await Promise.all([
    startBucketServer({ ...{ dir: folder, log: join(folder, "log"), port, buckets: ["backups"] }, secretAccessKey }),
    ownStack(),
  ]);
  const one = await platform(stack);
  const { url: endpoint, accessKeyId } = server;
  const deployment = { ...one.deployment, backups: { endpoint, bucket: "backups", accessKeyId, secretAccessKey } };
  // So that even few rows are parts of their own and several slices.
  const small = { BACKUP_PART_KB: "8", BACKUP_SLICE_ROWS: "1000", LOG_LEVEL: "error" };
  const env = { ...serviceEnv("backup", deployment, { https: 0, http: 0, api: 0 }), ...small };
  const restoring = restoreEnv(deployment);
  const { url, users } = stack.clickhouse;
  const sql = askAs(url, "astralog", "astralog_admin", users.astralog_admin ?? "");
  const lines = (text: string) =>
    text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, unknown>]));
  return {
    ...{ stack, one, sql, env, restoreEnv: restoring },
    command: async (statement) => {
      const answer = await fetch(`${url}/?database=astralog`, {
        method: "POST",
        headers: { "X-ClickHouse-User": "astralog_admin", "X-ClickHouse-Key": users.astralog_admin ?? "" },
        body: statement,
      });
      const said = await answer.text();
      if (!answer.ok) throw new Error(said);
    },
    objects: () =>
      readdirSync(join(server.data, "backups"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort(),
    backups: async (...args) => lines(await runScript("backup/backups.ts", args, env)),
    restore: async (...args) => lines(await runScript("backup/restore.ts", args, restoring))[0] ?? {},
    killAt: async (script, args, reached) => {
      const child = spawn(process.execPath, [join(root, "services", script), ...args], {
        ...{ cwd: root, env: script.includes("restore") ? restoring : env, stdio: ["ignore", "ignore", "pipe"] },
      });
      let said = "";
      child.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
      const exited = new Promise<NodeJS.Signals | null>((resolve) =>
        child.once("exit", (_, signal) => resolve(signal)),
      );
      while (!reached(said) && child.exitCode === null) await sleep(2);
      child.kill("SIGKILL");
      if ((await exited) !== "SIGKILL") throw new Error(`${script} ended before it was killed: ${said}`);
    },
    rowsOfPostgres: async () => {
      const session = connectSession(one.deployment.postgresUrl);
      await session.connect();
      try {
        const { rows: tables } = await session.query<{ name: string }>(
          "select tablename as name from pg_tables where schemaname = 'public' and tablename not like 'kysely%' order by 1",
        );
        const found: Record<string, string[]> = {};
        for (const { name } of tables) {
          const { rows } = await session.query<{ line: string }>(`select t::text as line from ${name} t order by 1`);
          found[name] = rows.map(({ line }) => line);
        }
        return found;
      } finally {
        await session.end();
      }
    },
    sums: async () => {
      const found: Record<string, unknown> = {};
      for (const table of ["events", "batches FINAL", "dead_letters FINAL", "removals FINAL"]) {
        const columns = table.startsWith("removals") ? "* EXCEPT indexes" : "* EXCEPT inserted_at";
        [found[table]] = await sql(
          `SELECT count() AS n, toString(sum(cityHash64(toString(tuple(${columns}))))) AS sum FROM ${table}`,
        );
      }
      return found;
    },
    close: async () => {
      await one.stop();
      await Promise.all([stack.stop(), server.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
