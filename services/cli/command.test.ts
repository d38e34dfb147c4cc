/** The command against servers that answer as a test says: late, with trouble, or not at all. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { createAuditSigner } from "@astralog/schemas/audit-head";
import { makeKey } from "@astralog/schemas/keys";
import { createMerkle, removedLine, signCertificate } from "@astralog/schemas/retention/index";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import pc from "picocolors";
import { createCli } from "./cli.ts";
import { readConfig } from "./config.ts";
import { createProgram } from "./program.ts";

type Respond = (request: IncomingMessage, body: Buffer, response: ServerResponse) => void;

let folder = "";
let server: Server;
let respond: Respond;
const keys = { ingestKey: makeKey("ingest"), queryKey: makeKey("query"), adminKey: makeKey("admin") };

beforeEach(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => respond(request, Buffer.concat(pieces), response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = mkdtempSync(join(tmpdir(), "astralog-cli-"));
  mkdirSync(join(folder, ".astralog"));
  writeFileSync(join(folder, ".astralog", "run.json"), JSON.stringify({ api: address, receiver: address, ...keys }));
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const astralog = async (args: string[], input: Buffer | string = "", env: NodeJS.ProcessEnv = {}) => {
  let out = "";
  let err = "";
  const colors = pc.createColors(false);
  const cli = createCli(
    readConfig(env),
    {
      input: Readable.from([Buffer.from(input)]),
      out: (text) => void (out += text),
      outBytes: (piece) => void (out += piece.toString()),
      err: (text) => void (err += text),
      outColors: colors,
      errColors: colors,
      progressColumns: 0,
      interactive: false,
    },
    join(folder),
    new AbortController().signal,
  );
  const failure = await createProgram(cli)
    .parseAsync(args, { from: "user" })
    .then(
      () => undefined,
      (error: Error) => error,
    );
  cli.close();
  return { out, err, failure: failure?.message, code: cli.exitCode() };
};

const json = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
};

const eventsOf = (body: Buffer): { message: string }[] =>
  gunzipSync(body)
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

test("whatever goes wrong on the way, each line is stored once", async () => {
  const stored = new Map<string, string[]>();
  const tries = new Map<string, number>();
  respond = (request, body, response) => {
    const key = String(request.headers["idempotency-key"]);
    const attempt = (tries.get(key) ?? 0) + 1;
    tries.set(key, attempt);
    if (attempt === 1) return json(response, 429, { detail: "too fast", code: "over_quota" }, { "retry-after": "0" });
    if (attempt === 2) return void request.socket.destroy();
    const messages = eventsOf(body).map((event) => event.message);
    if (stored.has(key)) expect(messages).toEqual(stored.get(key));
    stored.set(key, messages);
    // Taken, and the answer is lost.
    if (attempt === 3) return void response.destroy();
    json(response, 200, { accepted: messages.length, rejected: [], receipt: `0-${stored.size}x${messages.length}` });
  };
  const lines = Array.from({ length: 25 }, (_, i) => `line ${i}`);
  const { out, code, failure } = await astralog(["send", "--batch", "10", "--json"], gzipSync(lines.join("\n")));
  expect(failure).toBeUndefined();
  expect(JSON.parse(out)).toMatchObject({ lines: 25, accepted: 25, rejected: 0, unsent: 0, retries: 9 });
  expect([...stored.values()].flat().sort()).toEqual([...lines].sort());
  expect(code).toBe(0);
});

test("what is rejected is named by its line", async () => {
  respond = (_request, _body, response) =>
    json(response, 200, {
      accepted: 2,
      rejected: [{ index: 1, reason: "message: 1,048,577 bytes, the limit is 1 MiB" }],
      receipt: "0-7x2",
    });
  const { out, code } = await astralog(["send"], '{"message":"a"}\n\n{"message":"b"}\n{"message":"c"}\n');
  expect(out).toContain("accepted  2 events");
  expect(out).toContain("message: 1,048,577 bytes, the limit is 1 MiB (first: standard input, line 3)");
  expect(out).toContain("receipt   0-7x2");
  expect(code).toBe(1);
});

test("a server that stays away leaves the rest unsent, and says how to go on", async () => {
  respond = (_request, _body, response) =>
    json(response, 503, { detail: "Kafka does not answer", code: "kafka_unavailable" });
  const file = join(folder, "app.log");
  writeFileSync(file, "a\n".repeat(100));
  const { out, code } = await astralog([
    "send",
    file,
    "--retry-for",
    "0",
    "--batch",
    "10",
    "--parallel",
    "1",
    "--run-id",
    "again",
  ]);
  expect(out).toMatch(/unsent {4}\d+ lines without an answer: 503: Kafka does not answer \(kafka_unavailable\)/);
  expect(out).toContain("was read up to line 100");
  expect(out).toContain("--run-id again");
  expect(code).toBe(1);
});

test("a refused key ends it at once, with what to do", async () => {
  let asked = 0;
  respond = (_request, _body, response) => {
    asked++;
    json(response, 401, { detail: "This key is revoked.", code: "key_revoked" });
  };
  const { failure } = await astralog(["send", "--parallel", "1", "--batch", "1"], "a\nb\nc\n");
  expect(failure).toMatch(/^This key is revoked. \(key_revoked\)\nThe key is unknown, mistyped, expired or revoked/);
  expect(asked).toBe(1);
});

test("a query with pipes is asked as one, and printed as a table or as objects", async () => {
  const asked: string[] = [];
  respond = (request, _body, response) => {
    asked.push(new URL(request.url ?? "", "http://host").pathname);
    const columns = [
      { name: "service", type: "text" },
      { name: "count()", type: "number" },
    ];
    json(response, 200, {
      columns,
      rows: [
        ["a\u001b[31m", 7],
        ["bc", null],
      ],
      truncated: false,
      stats: { rows: 9, bytes: 9, ms: 1 },
    });
  };
  const shown = await astralog(["search", "x | stats count() by service"]);
  expect(shown.out).toBe(["SERVICE    COUNT()", "a\\x1b[31m        7", "bc               -", ""].join("\n"));
  const objects = await astralog(["search", "x | top service", "--json", "--limit", "1"]);
  expect(objects.out).toBe('{"service":"a\\u001b[31m","count()":7}\n');
  expect(objects.err).toMatch(/more rows/);
  expect((await astralog(["search", "x | limit 1", "--reverse"])).failure).toMatch(/sort/);
  respond = (request, _body, response) => {
    asked.push(new URL(request.url ?? "", "http://host").pathname);
    json(response, 200, { events: [], next: null, stats: { rows: 0, bytes: 0, ms: 0 } });
  };
  await astralog(["search", '"a|b" /c|d/']);
  expect(asked).toEqual(["/api/v1/query", "/api/v1/query", "/api/v1/search"]);
});

test("search follows the cursor up to the limit, and says what it searched when there is nothing", async () => {
  const asked: URLSearchParams[] = [];
  respond = (request, _body, response) => {
    const parameters = new URL(request.url ?? "", "http://host").searchParams;
    asked.push(parameters);
    expect(request.headers.authorization).toBe(`Bearer ${keys.queryKey}`);
    const event = {
      id: "0-0-0",
      timestamp: "2026-01-01T00:00:00Z",
      level: "info",
      service: "s",
      message: "found",
      attributes: {},
    };
    const none = parameters.get("q") === "nothing";
    json(response, 200, {
      events: none ? [] : [event],
      next: none ? null : "further",
      stats: { rows: 5, bytes: 10, ms: 1 },
    });
  };
  const two = await astralog(["search", "x:y z", "--limit", "2", "--from", "2026-01-01"]);
  expect(two.out).toBe("2026-01-01T00:00:00.000Z INFO  s found\n".repeat(2));
  expect(asked.map((each) => each.get("cursor"))).toEqual([null, "further"]);
  expect(asked[0]?.get("q")).toBe("x:y z");
  const none = await astralog(["search", "nothing", "--from", "2026-01-01"]);
  expect(none).toMatchObject({
    out: "",
    err: "nothing found for nothing from 2026-01-01T00:00:00.000Z up to now (5 rows, 10 B read in 1 ms)\n",
    code: 0,
  });
});

test("verify waits for what is on its way, and fails when it stays unclean", async () => {
  const verdict = {
    accepted: 3,
    stored: 3,
    dropped: {},
    gaps: [],
    duplicates: [],
    mismatches: [],
    sources: [],
    lag: 0,
  };
  let asked = 0;
  respond = (_request, _body, response) =>
    json(response, 200, { ...verdict, ok: asked > 0, stored: asked++ > 0 ? 3 : 2 });
  expect(await astralog(["verify"])).toMatchObject({
    code: 0,
    out: expect.stringContaining("clean: 3 events accepted = 3 stored"),
  });
  respond = (_request, _body, response) =>
    json(response, 200, { ...verdict, ok: false, gaps: [{ partition: 3, offset: 7 }] });
  const bad = await astralog(["verify", "--wait", "0"]);
  expect(bad.code).toBe(1);
  expect(bad.out).toContain('acknowledged and not found:\n  {"partition":3,"offset":7}');
});

test("wrong use is said in a line, with what was meant", async () => {
  expect((await astralog(["serch", "x"])).err).toContain("Did you mean search?");
  expect((await astralog(["search", "x", "--limt", "3"])).err).toContain("Did you mean --limit?");
  expect((await astralog(["search", "x", "--limit", "many"])).failure).toContain('--limit is "many"');
  expect((await astralog(["keys", "create", "--kind", "ingest"])).failure).toBe("An ingest key needs --source.");
  expect((await astralog(["send", "no-such-file"])).failure).toBe("There is no file no-such-file.");
});

test("a local key never goes to an address from the environment, and a mistyped key goes nowhere", async () => {
  respond = () => expect(false).toBe(true);
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const without = await astralog(["search", "x"], "", { ASTRALOG_API: address });
  expect(without.failure).toBe("This needs a query key and none is known.\nSet ASTRALOG_QUERY_KEY.");
  const wrong = `${keys.queryKey.slice(0, -1)}${keys.queryKey.endsWith("0") ? "1" : "0"}`;
  const mistyped = await astralog(["search", "x"], "", { ASTRALOG_QUERY_KEY: wrong });
  expect(mistyped.failure).toBe("ASTRALOG_QUERY_KEY is no Astralog key: mistyped, or cut short.");
  const other = await astralog(["search", "x"], "", { ASTRALOG_QUERY_KEY: keys.ingestKey });
  expect(other.failure).toBe("ASTRALOG_QUERY_KEY is an ingest key; this needs a query key.");
});

test("a new key is all that standard output gets", async () => {
  const made = { id: "key_1", kind: "query", key: keys.queryKey };
  respond = (_request, body, response) => json(response, 201, { ...made, name: JSON.parse(body.toString()).name });
  const { out, err } = await astralog(["keys", "create", "--kind", "query", "--name", "ci"]);
  expect(out).toBe(`${keys.queryKey}\n`);
  expect(err).toContain("never shown again");
});

test("clickhouse prints statements to copy, says what waits and since when, and reads passwords from standard input", async () => {
  const grants = await astralog(["clickhouse", "grants", "--username", "astralog", "--database", "logs"]);
  expect(grants.out).toContain("GRANT SELECT, INSERT, CREATE TABLE, ALTER TABLE ON logs.* TO astralog;\n");
  const problem = { code: "address_failed", detail: "It does not answer.", since: "2026-03-01T00:00:00.000Z" };
  const status = { connection: "sto_1", state: "failing", lag: 12_345, records: 1, events: 7, bytes: 2 ** 20 };
  respond = (_, _body, response) => json(response, 200, { servers: [{ ...status, last_stored_at: null, problem }] });
  const { out, err } = await astralog(["clickhouse", "status"]);
  expect(out).toMatch(/sto_1 +failing +12,345 +7 +1\.00 MiB +–\n/);
  expect(err).toContain("sto_1: It does not answer. Since 2026-03-01");
});

test("usage and plan say in a table what the API says, and what is without a limit", async () => {
  const day = { day: "2026-03-01", source: "src_1", name: "shop\u001b[2J", events: 12_345, bytes: 3 * 2 ** 20 };
  const asked: (string | undefined)[] = [];
  respond = (request, _body, response) => {
    asked.push(request.url);
    if (request.url?.includes("plan"))
      return json(response, 200, {
        plan: "team",
        limits: {
          retention_days: 30,
          max_bytes_per_second: 0,
          daily_bytes: 2 ** 30,
          partitions: 4,
          seats: 9,
          features: ["own_storage"],
        },
        overridden: ["seats"],
        today: { day: day.day, events: 5, bytes: 2 ** 29, resets_at: "2026-03-02T00:00:00.000Z" },
      });
    json(response, 200, { days: [{ ...day, dropped: { duplicate: 2 }, redacted: { email: 3, jwt: 4 } }] });
  };
  const usage = await astralog(["usage", "--from", "2026-03-01"]);
  expect(asked).toEqual(["/api/v1/usage?from=2026-03-01"]);
  expect(usage.out).toMatch(/2026-03-01 +shop\\x1b\[2J +12,345 +3\.00 MiB +2 +7\n/);
  const plan = await astralog(["plan"]);
  for (const part of [/a second +unlimited/, /seats +9 +agreed/, /today +512 MiB \(50 %\), 5 events/])
    expect(plan.out).toMatch(part);
});

test("retention shows what is kept in tables, and makes rules from options", async () => {
  const rule = { name: "short\u001b[2J", kind: "keep", source: "", query: "level:debug", days: 3, reason: "" };
  const asked: unknown[] = [];
  respond = (request, body, response) => {
    if (request.method === "POST") {
      asked.push(JSON.parse(body.toString()));
      return json(response, 201, { id: "ret_1", rule });
    }
    json(response, 200, {
      plan: { name: "team", retention_days: 30 },
      sources: [
        {
          ...{ source: "src_1", name: "shop", events: 12_345, bytes: 3 * 2 ** 20, oldest: "2026-03-01", base: 30 },
          ...{ held: "none", expires_next: "2026-04-01", expiring: 7 },
        },
      ],
      dead_letters: 1,
      rules: [{ id: "ret_1", rule }],
      sweep: [
        {
          ...{ place: "events", removed: 4, overdue: 0, detail: "1 day" },
          ended_at: "2026-03-02T00:00:00Z",
        },
      ],
    });
  };
  const { out } = await astralog(["retention"]);
  expect(out).toMatch(/shop +12,345 +3\.00 MiB +30 d +2026-03-01 +2026-04-01: 7\n/);
  expect(out).toContain("short\\x1b[2J");
  expect(out).toMatch(/events +0 +4 +2026-03-02T00:00:00Z +1 day\n/);
  await astralog(["retention", "keep", "short", "--query", "level:debug", "--days", "3"]);
  await astralog(["retention", "hold", "case", "--reason", "case 7"]);
  const drop = ["retention", "drop-fields", "who", "--days", "7", "--field", "message", "--field", "attributes.user.*"];
  await astralog([...drop, "--except", "attributes.user.plan"]);
  expect(asked.pop()).toEqual({
    ...{ name: "who", kind: "drop_fields", query: "", source: "", days: 7, reason: "" },
    ...{ fields: ["message", "attributes.user.*"], except: ["attributes.user.plan"] },
  });
  expect(asked).toEqual([
    { name: "short", kind: "keep", query: "level:debug", source: "", days: 3, reason: "" },
    { name: "case", kind: "hold", query: "", source: "", days: null, reason: "case 7" },
  ]);
});

test("deletions are asked for with one scope, and a certificate is checked without a server", async () => {
  respond = (_request, _body, response) => json(response, 500, {});
  const wrong = await astralog(["deletions", "preview", "--query", "a", "--organization"]);
  expect(wrong.failure).toContain("Give one of --query, --source and --organization.");
  const signer = createAuditSigner(randomBytes(32));
  const line = removedLine({
    ...{ place: "events", source: "src_1", topic: "events.raw", partition: 0, offset: 7, events: 3 },
    indexes_sha256: "ab",
  });
  const tree = createMerkle();
  tree.add(line);
  const certificate = signCertificate(signer, {
    ...{ v: 1, id: "del_1", tenant: "tn_1", kind: "query", sources: [], query: "a", from: "", to: "" },
    ...{ received_before: "2026-01-01T00:00:00.000Z", reason: "asked", requested_by: "usr_1" },
    issued_at: "2026-01-01T00:01:00.000Z",
    places: [{ place: "events", removed: 3, found: 0, looked_at: "2026-01-01T00:00:59.000Z", detail: "" }],
    merkle: { root: tree.root(), leaves: tree.leaves },
  });
  const file = join(folder, "del.json");
  const list = join(folder, "del.jsonl");
  writeFileSync(file, JSON.stringify(certificate));
  writeFileSync(list, `${line}\n`);
  const fine = await astralog(["certificate", "verify", file, "--removed", list, "--public-key", signer.publicKey]);
  expect(fine).toMatchObject({ code: 0, failure: undefined });
  expect(fine.out).toMatch(/^it holds: deletion del_1 of tn_1/);
  writeFileSync(file, JSON.stringify({ ...certificate, query: "b" }));
  expect(await astralog(["certificate", "verify", file])).toMatchObject({
    out: "broken: it is not signed by this key, or was changed since\n",
    code: 1,
  });
  writeFileSync(list, "");
  writeFileSync(file, JSON.stringify(certificate));
  expect((await astralog(["certificate", "verify", file, "--removed", list])).code).toBe(1);
  expect((await astralog(["certificate", "verify", list])).failure).toContain("is no deletion certificate");
});

test("days are brought back from a bucket once they were counted, and it is said how far that is", async () => {
  const asked: unknown[] = [];
  const row = {
    ...{
      id: "reh_1",
      connection: "sto_1",
      from: "2026-01-01",
      to: "2026-01-07",
      query: "a\u001b[2J",
      state: "failing",
    },
    ...{ until: "2026-02-01", objects: 1_200, objects_done: 3, events: 12_345, problem: "The bucket does not answer." },
  };
  respond = (request, body, response) => {
    if (request.method === "POST") asked.push(JSON.parse(body.toString()));
    const cost = { events: 20_000, bytes: 3 * 2 ** 20, until: "2026-02-01" };
    json(response, 200, request.url?.endsWith("/preview") ? cost : row);
  };
  const range = ["--connection", "sto_1", "--from", "2026-01-01", "--to", "2026-01-07"];
  const { out } = await astralog(["rehydrations", "preview", ...range]);
  expect(out).toBe("20,000 events in the bucket, about 3.00 MiB; here until 2026-02-01 if you create it now\n");
  const made = await astralog(["rehydrations", "create", ...range, "--query", "a", "--days", "2"]);
  expect(made.out).toMatch(/reh_1 +failing +2026-01-01 +2026-01-07 +a\\x1b\[2J +12,345 +3 of 1,200 +2026-02-01\n/);
  expect(made.err).toBe("The bucket does not answer.\n");
  const wanted = { connection: "sto_1", from: "2026-01-01", to: "2026-01-07" };
  expect(asked).toEqual([
    { ...wanted, days: 7 },
    { ...wanted, query: "a", days: 2 },
  ]);
  expect((await astralog(["rehydrations", "create", ...range, "--days", "31"])).failure).toContain("--days");
});

test("every command explains itself", () => {
  const readme = readFileSync(new URL("README.md", import.meta.url), "utf8");
  for (const name of [
    "send",
    "search",
    "sources",
    "keys",
    "receipt",
    "verify",
    "dead",
    "usage",
    "retention",
    "deletions",
    "rehydrations",
  ])
    expect(readme).toContain(`astralog ${name}`);
});
