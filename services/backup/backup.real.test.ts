/** A whole stack that loses its ClickHouse and its Postgres, over a real bucket: what is restored is compared row by row. */
import { readFileSync, writeFileSync } from "node:fs";
import { provision } from "@astralog/local";
import { connectSession } from "@astralog/schemas/postgres";
import { type RunningService, until } from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { startWorld, type World } from "./backup.driver.ts";
import { dumpedTables } from "./clickhouse-dump.ts";

jest.setTimeout(240_000);

let world: World;
let running: RunningService[] = [];
let sent = 0;
let second = "";
let before: { clickhouse: unknown; postgres: Record<string, string[]> };

const startServices = async (): Promise<void> => {
  running = await Promise.all((["api", "receiver", "redactor", "sink"] as const).map((name) => world.one.start(name)));
};
const stopServices = async (): Promise<void> => {
  await Promise.all(running.map((service) => service.kill("SIGTERM")));
  running = [];
};
const url = (name: string): string => running.find((one) => one.name === name)?.url ?? "";

const send = async (batches: number): Promise<void> => {
  for (let batch = 0; batch < batches; batch++) {
    const events = Array.from({ length: 50 }, () => ({
      message: `event ${sent++} of the harbor`,
      user: { id: sent % 7 },
    }));
    const key = sent;
    await until("an accepted batch", async () => {
      const answer = await fetch(`${url("receiver")}/v1/events`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${world.one.ingestKey}`,
          "content-type": "application/json",
          // What was taken though the answer was lost is not taken twice.
          "idempotency-key": `batch-${key}`,
        },
        body: JSON.stringify(events),
      });
      await answer.arrayBuffer();
      return answer.ok ? true : undefined;
    });
  }
};
const stored = (): Promise<true> =>
  until("all to be stored", async () => {
    const [row] = await world.sql<{ n: number }>("SELECT toUInt32(sum(stored)) AS n FROM batches FINAL");
    return row?.n === sent ? true : undefined;
  });
const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "it passed",
    (error: Error) => error.message,
  );
const lose = async (): Promise<void> => {
  // The second time only a restore's beginning is there, or nothing.
  await world.command("DROP DATABASE astralog SYNC").catch(() => undefined);
  const session = connectSession(world.one.deployment.postgresUrl);
  await session.connect();
  await session.query("drop schema public cascade; create schema public");
  await session.end();
};

beforeAll(async () => {
  world = await startWorld();
  await startServices();
});
afterAll(() => world?.close());

test("a killed backup is none, and the next one clears it away", async () => {
  await send(40);
  await stored();
  await world.killAt("backup/backups.ts", ["take"], () => world.objects().some((name) => name.includes("/data/")));
  expect(await world.backups("list")).toEqual([]);
  const left = world.objects();
  expect(left.length).toBeGreaterThan(0);
  await world.backups("take");
  const now = world.objects();
  expect(left.filter((name) => now.includes(name))).toEqual([]);
});

test("the next backup adds what is new, and both are whole and unreadable", async () => {
  const tables = await world.sql<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = 'astralog' AND engine LIKE '%MergeTree'",
  );
  expect(tables.map(({ name }) => name).sort()).toEqual([...dumpedTables, "schema_migrations", "sink_claims"].sort());
  // One large part, that the third backup finds in the second.
  await world.command("OPTIMIZE TABLE events FINAL");
  await world.command("SYSTEM STOP MERGES events");
  await world.backups("take");
  await send(10);
  await stored();
  // The api alone writes to Postgres, and what it is at the backup is to be known.
  await running.find(({ name }) => name === "api")?.kill("SIGTERM");
  running = running.filter(({ name }) => name !== "api");
  const postgres = await world.rowsOfPostgres();
  const [taken] = await world.backups("take");
  second = String(taken?.id);
  expect(Number(taken?.own)).toBeLessThan(Number(taken?.bytes));
  expect((await world.backups("list")).map(({ id }) => id)).toEqual([second, expect.anything(), expect.anything()]);
  expect(await world.backups("verify")).toMatchObject([{ id: second, ok: true, problems: [] }]);
  for (const name of world.objects()) expect(readFileSync(name).includes("of the harbor")).toBe(false);

  running.push(await world.one.start("api"));
  await send(15);
  await stored();
  before = { clickhouse: await world.sums(), postgres };
});

test("a restore refuses a stack that is used, and a backup that is damaged", async () => {
  expect(await refusal(world.restore())).toContain("sinks_running");
  await stopServices();
  expect(await refusal(world.restore())).toContain("not_empty");
  await lose();
  const damaged = world.objects().find((name) => name.includes(`/data/${second}/`)) ?? "";
  const bytes = readFileSync(damaged);
  writeFileSync(damaged, Buffer.from(bytes.map((byte, i) => (i === 40 ? byte ^ 1 : byte))));
  expect(await refusal(world.restore())).toContain("nothing was restored");
  expect(await refusal(world.backups("verify"))).toContain("backup_damaged");
  writeFileSync(damaged, bytes);
  const manifest = world.objects().find((name) => name.endsWith(`${second}.json`)) ?? "";
  const text = readFileSync(manifest, "utf8");
  writeFileSync(manifest, text.replace('"expires_at":"20', '"expires_at":"21'));
  expect((await world.backups("list")).find(({ id }) => id === second)?.problem).toContain("changed");
  expect(await refusal(world.restore("--backup", second))).toContain("no_backup");
  writeFileSync(manifest, text);
});

test("a restore that was killed goes on, and the rest comes from Kafka: every row is what it was", async () => {
  await lose();
  await world.killAt("backup/restore.ts", [], (said) => said.includes("clickhouse: events has"));
  const done = await world.restore();
  expect(done).toMatchObject({ backup: second, records_forgotten: 0 });
  expect(Number(done.records_to_replay)).toBeGreaterThan(0);
  expect(await world.rowsOfPostgres()).toEqual(before.postgres);
  const [row] = await world.sql<{ n: number }>("SELECT toUInt32(count()) AS n FROM events");
  expect(row?.n).toBe(2_500);

  await provision(world.one.deployment);
  await startServices();
  await stored();
  expect(await world.sums()).toEqual(before.clickhouse);
  await send(2);
  await stored();
  const verdict = await fetch(`${url("api")}/api/v1/verify?wait=30`, {
    headers: { authorization: `Bearer ${world.one.adminKey}` },
  });
  expect(await verdict.json()).toMatchObject({ ok: true });
});

test("the service makes one when it is due, and says so", async () => {
  const service = await world.one.start("backup", { ...world.env, BACKUP_EVERY_MINUTES: "1" });
  const newest = async () => (await world.backups("list"))[0]?.id;
  await until("a new backup", async () => ((await newest()) === second ? undefined : true), 120_000);
  await until("its metrics", async () => {
    const text = await (await fetch(`${service.ops}/metrics`)).text();
    return /astralog_backup_kept\{[^}]*\} 4/.test(text) && /astralog_backup_made_at_seconds\{[^}]*\} 1[.\d]+/.test(text)
      ? true
      : undefined;
  });
});
