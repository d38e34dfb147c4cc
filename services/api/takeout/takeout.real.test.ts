/**
 * An organization taken out and brought in again, by the command, over real servers and with kills in between: what is stored in
 * the end is compared row by row with what was there. Both organizations are on one platform.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { state } from "@astralog/local";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type TakeoutManifest, takeoutFolder } from "@astralog/schemas/takeout";
import { askAs, type Platform, platform, type RunningService, type Sql, sharedStack, until } from "@astralog/testbed";
import { afterAll, beforeAll, expect, jest, test } from "@jest/globals";
import { byTest } from "../api.driver.ts";
import { createKey } from "../control/keys.ts";
import { createSource } from "../control/sources.ts";
import { ensureTenant } from "../control/tenants.ts";
import { plantMember } from "../http/access.driver.ts";
import type { Db } from "../postgres.ts";

jest.setTimeout(300_000);

const bin = fileURLToPath(new URL("../../cli/bin/astralog.mjs", import.meta.url));
let one: Platform;
let api: RunningService;
let receiver: RunningService;
let db: Db;
let sql: Sql;
let folder: string;
let target: { tenant: string; queryKey: string; adminKey: string };
const days = 3;
const perDay = 400;
const env = { TAKEOUT_PART_EVENTS: "100" };

const run = (args: string[], keys: { queryKey: string; adminKey: string } = one) => {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    stdio: "pipe",
    env: {
      ...{ PATH: process.env.PATH, ASTRALOG_API: api.url },
      ...{ ASTRALOG_QUERY_KEY: keys.queryKey, ASTRALOG_ADMIN_KEY: keys.adminKey },
    },
  });
  child.stdin.end();
  const code = new Promise<number | null>((resolve) => child.once("close", resolve));
  const done = Promise.all([text(child.stdout), text(child.stderr), code]).then(([out, err, exit]) => ({
    ...{ out, err, code: exit },
  }));
  return { child, done };
};
const astralog = (...args: string[]) => run(args).done;
const ask = async (path: string, init: RequestInit = {}, key = one.adminKey) =>
  fetch(`${api.url}/api/v1${path}`, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });

const send = async (events: readonly object[]): Promise<void> => {
  const answer = await fetch(`${receiver.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
    body: JSON.stringify(events),
  });
  expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
};
const stored = async (tenant: string): Promise<number> =>
  Number((await sql<{ n: string }>(`SELECT toString(count()) AS n FROM events WHERE tenant = '${tenant}'`))[0]?.n);

beforeAll(async () => {
  folder = mkdtempSync(join(state, "takeout-"));
  one = await platform(sharedStack());
  const { url, database, users } = one.stack.clickhouse;
  sql = askAs(url, database, "astralog_admin", users.astralog_admin ?? "");
  db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  [api, receiver] = await Promise.all([
    one.start("api", env),
    one.start("receiver"),
    one.start("redactor"),
    one.start("sink"),
  ]);
  const by = byTest(one);
  const tenant = (await ensureTenant(db, "target", by)).id;
  const keyOf = async (kind: "query" | "admin") => (await createKey(db, tenant, { kind }, by)).key;
  target = { tenant, queryKey: await keyOf("query"), adminKey: await keyOf("admin") };
  await createSource(db, one.tenant, { name: "second", retention_days: 20 }, by);
  await plantMember(db, one.tenant, "member", { email: "ada@example.com" });
  const values = { tenant: one.tenant, owner: "usr_x", owner_name: "Ada", shared: true };
  await db
    .insertInto("views")
    .values({
      ...{ ...values, id: "vw_000000000077", kind: "view", name: "Errors" },
      content: JSON.stringify({ page: "explore", state: { q: "level:error" } }),
    })
    .execute();
  await until("the keys", async () => {
    const probe = await fetch(`${receiver.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${one.ingestKey}`, "content-type": "application/json" },
      body: "[]",
    });
    const known = await Promise.all([target.adminKey, one.adminKey].map((key) => ask("/sources", {}, key)));
    return probe.status < 500 && probe.status !== 401 && known.every(({ status }) => status === 200) ? true : undefined;
  });
  const post = (path: string, body: object) =>
    ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const made = await Promise.all([
    post("/roles", { name: "Watcher", permissions: ["alerts.read"] }),
    post("/retention/rules", { name: "audit", kind: "keep", query: "kind:audit", days: 25 }),
    post("/alerts/rules", { id: "errors", name: "Errors", when: { type: "match", query: "level:fatal" } }),
  ]);
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
  const now = Date.now();
  for (let day = 0; day < days; day++)
    await send(
      Array.from({ length: perDay }, (_, i) => ({
        timestamp: `${new Date(now - day * 86_400_000 - i * 1_000).toISOString().slice(0, -1)}${String(i).padStart(6, "0")}Z`,
        level: i % 7 === 0 ? "error" : "info",
        ...{ service: `svc-${i % 3}`, message: `event ${day}/${i} “quoted”, ü\n${"x".repeat(i % 40)}` },
        ...{ "10": i, "2": i / 8, kind: i % 5 === 0 ? "audit" : "other", ok: i % 2 === 0, nothing: null, trace_id: "" },
      })),
    );
  await until("the events", async () => ((await stored(one.tenant)) === days * perDay ? true : undefined));
});

afterAll(async () => {
  await db?.destroy();
  await one?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const statusOf = async (id: string) =>
  JSON.parse((await (await ask(`/takeouts/${id}`)).text()) || "{}") as { state: string; files: number; events: number };

test("killed while it packs it goes on; fetched in pieces it is whole; a changed byte is found", async () => {
  const { id } = JSON.parse((await astralog("takeout", "create", "--json")).out) as { id: string };
  expect((await astralog("takeout", "create")).err).toContain("under way");
  // Killed once some files are written, and not all.
  await until("the first files", async () => ((await statusOf(id)).files > 17 ? true : undefined));
  await api.kill("SIGKILL");
  expect(await db.selectFrom("takeouts").select("state").where("id", "=", id).executeTakeFirst()).toEqual({
    state: "running",
  });
  api = await one.start("api", env);
  // Two of them at once make one takeout.
  await one.start("api", env);
  const done = await astralog("takeout", "status", id, "--wait", "3m", "--json");
  expect(JSON.parse(done.out)).toMatchObject({ state: "done", events: days * perDay, events_done: days * perDay });

  expect(await astralog("takeout", "download", id, "--to", "out")).toMatchObject({ code: 0 });
  const manifest = JSON.parse(readFileSync(join(folder, "out", "manifest.json"), "utf8")) as TakeoutManifest;
  const parts = manifest.files.filter(({ kind }) => kind === "events");
  expect(parts.length).toBeGreaterThan(days * (perDay / 100));
  expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(days * perDay);
  expect(JSON.stringify(manifest)).not.toContain(one.adminKey);

  // A download that was cut: the rest is asked for, and only that.
  const [cut] = parts;
  if (cut === undefined) throw new Error("no part");
  const whole = readFileSync(join(folder, "out", cut.name));
  rmSync(join(folder, "out", cut.name));
  writeFileSync(join(folder, "out", `${cut.name}.part`), whole.subarray(0, 1_000));
  const query = new URLSearchParams({ name: cut.name });
  const range = await ask(`/takeouts/${id}/events?${query}`, { headers: { range: "bytes=1000-" } }, one.queryKey);
  expect([range.status, range.headers.get("content-range")]).toEqual([206, `bytes 1000-${cut.bytes - 1}/${cut.bytes}`]);
  expect(Buffer.from(await range.arrayBuffer()).equals(whole.subarray(1_000))).toBe(true);
  expect((await ask(`/takeouts/${id}/events?${query}`)).status).toBe(403);
  expect(await astralog("takeout", "download", id, "--to", "out")).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "out", cut.name)).equals(whole)).toBe(true);

  expect(await astralog("takeout", "verify", "out")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^it holds/),
  });
  expect(await astralog("audit", "verify", "out/audit/audit.jsonl")).toMatchObject({ code: 0 });
  const changed = Buffer.from(whole);
  changed[50] = (changed[50] ?? 0) ^ 1;
  writeFileSync(join(folder, "out", cut.name), changed);
  expect(await astralog("takeout", "verify", "out")).toMatchObject({ code: 1, out: expect.stringContaining(cut.name) });
  expect(await run(["takeout", "import", "out"], target).done).toMatchObject({ code: 1 });
  writeFileSync(join(folder, "out", cut.name), whole);
});

test("brought in with a kill on the way, each row is there once, as it was, and what cannot come is told", async () => {
  const cut = run(["takeout", "import", "out"], target);
  await new Promise<void>((resolve) => {
    let said = "";
    cut.child.stderr.on("data", (piece: Buffer) => {
      said += piece;
      if (/^4\/\d+ events/m.test(said)) resolve();
    });
    cut.child.once("close", () => resolve());
  });
  cut.child.kill("SIGKILL");
  await cut.done;
  const first = await run(["takeout", "import", "out", "--json"], target).done;
  expect(first).toMatchObject({ code: 0 });
  type Report = { result: object; notes: { file: string; name: string; outcome: string }[]; id: string };
  const report = JSON.parse(first.out) as Report;
  expect(report.result).toMatchObject({ ok: true });
  expect(JSON.parse((await run(["takeout", "import", "out", "--json"], target).done).out)).toEqual(report);

  const columns = `timestamp, received_at, level, service, host, message, trace_id, span_id, attribute_types, attributes`;
  const rows = (tenant: string) => `SELECT ${columns}, expires_on FROM events WHERE tenant = '${tenant}'`;
  for (const [here, there] of [
    [one.tenant, target.tenant],
    [target.tenant, one.tenant],
  ] as const)
    expect(await sql(`SELECT * FROM (${rows(here)}) EXCEPT (${rows(there)})`)).toEqual([]);
  expect(await stored(target.tenant)).toBe(days * perDay);

  const outcomes = (file: string) => report.notes.filter((note) => note.file === file).map(({ outcome }) => outcome);
  expect(outcomes("sources").toSorted()).toEqual(["imported", "imported"]);
  expect(outcomes("members")).toContain("invited");
  expect(new Set(outcomes("keys"))).toEqual(new Set(["secret"]));
  for (const file of ["roles", "retention-rules", "alert-rules"])
    expect([file, outcomes(file)]).toEqual([file, ["imported"]]);
  const sources = await db.selectFrom("sources").selectAll().where("tenant", "=", target.tenant).execute();
  expect(sources.map(({ name, retention_days }) => [name, retention_days])).toContainEqual(["second", 20]);
  const ledger = await sql<{ protocol: string; n: string }>(
    `SELECT protocol, toString(sum(stored)) AS n FROM batches FINAL WHERE tenant = '${target.tenant}' GROUP BY protocol`,
  );
  expect(ledger).toEqual([{ protocol: "import", n: String(days * perDay) }]);
  const trail = await ask(`/imports/${report.id}/audit`, {}, target.adminKey);
  expect(Buffer.from(await trail.arrayBuffer()).equals(readFileSync(join(folder, "out", "audit", "audit.jsonl")))).toBe(
    true,
  );
});

test("what is past its time goes from the store, and a deletion takes along what was taken out before", async () => {
  const store = one.deployment.takeoutFolder;
  const filesOf = (tenant: string): string[] => {
    const at = join(store, "takeouts", tenant);
    return existsSync(at) ? readdirSync(at, { recursive: true, encoding: "utf8" }) : [];
  };
  const old = takeoutFolder({ tenant: target.tenant, id: "tko_000000000042", created: 1, expires: Date.now() - 1 });
  mkdirSync(join(store, old, "audit"), { recursive: true });
  writeFileSync(join(store, old, "audit", "audit.jsonl"), "x");
  expect(filesOf(one.tenant).length).toBeGreaterThan(10);
  await one.start("retention", { SWEEP_SECONDS: "1", SETTLE_SECONDS: "0", IN_FLIGHT_MS: "200" });
  await until("the old one's end", () => (filesOf(target.tenant).length === 0 ? true : undefined));
  expect(filesOf(one.tenant).length).toBeGreaterThan(10);

  const deletion = await astralog(
    "deletions",
    "create",
    "--query",
    "kind:audit",
    "--confirm",
    "kind:audit",
    "--reason",
    "test",
  );
  expect(deletion).toMatchObject({ code: 0 });
  await until("the deletion's reach", () => (filesOf(one.tenant).length === 0 ? true : undefined));
  const [row] = (JSON.parse(await (await ask("/takeouts")).text()) as { takeouts: { state: string }[] }).takeouts;
  expect(row?.state).toBe("deleted");
});
