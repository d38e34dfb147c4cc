import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { makeKey, parseReceipt } from "@astralog/schemas";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { SeverityNumber } from "@opentelemetry/api";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { type RawEvents, readRawEvents } from "./raw-events.driver.ts";
import { type Client, client, endlessPost, rawRequest } from "./requests.driver.ts";

let astralog: Platform;
let receiver: RunningService;
let api: RunningService;
let raw: RawEvents;
let sender: Client;

beforeAll(async () => {
  astralog = await platform(sharedStack());
  api = await astralog.start("api");
  receiver = await astralog.start("receiver");
  raw = await readRawEvents(astralog);
  sender = client(astralog, receiver);
  // The key reaches the receiver by way of Kafka.
  for (let i = 0; i < 100 && (await sender.post("[]")).status !== 200; i++)
    await new Promise((resolve) => setTimeout(resolve, 50));
});
afterAll(async () => {
  sender?.close();
  await raw?.close();
  await astralog?.stop();
});

const control = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
  const answer = await fetch(`${api.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${astralog.adminKey}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? {} : ((await answer.json()) as Record<string, unknown>);
};

test.each([
  ["identity", (b: Buffer) => b],
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
])("%s is taken, and the receipt names where the events lie", async (encoding, code) => {
  const mark = `${encoding} ${performance.now()}`;
  const body = Buffer.from(Array.from({ length: 4_000 }, (_, i) => `{"msg":"${mark} ${i}"}`).join("\n"));
  const { status, json } = await sender.post(code(body), {
    "content-type": "application/x-ndjson",
    ...(encoding === "identity" ? {} : { "content-encoding": encoding }),
  });
  expect([status, json.accepted, json.rejected]).toEqual([200, 4_000, []]);
  await raw.until(() => raw.messages().filter((message) => message.startsWith(mark)).length >= 4_000);
  const parts = parseReceipt(String(json.receipt)) ?? [];
  expect(parts.map(({ count }) => count)).toEqual([3_000, 1_000]);
  for (const { partition, offset, count } of parts) {
    const batch = raw.batches.find((b) => b.partition === partition && b.offset === offset);
    expect(batch?.header).toMatchObject({ tenant: astralog.tenant, source: astralog.source, accepted: count });
    expect(batch?.events.every((event) => event.message.startsWith(mark))).toBe(true);
  }
});

test("what is hostile is refused with 4xx, and the receiver goes on", async () => {
  const bomb = Buffer.alloc(200 * 2 ** 20);
  const gzip = { "content-encoding": "gzip" };
  const cases: [string, string | Buffer, Record<string, string>, number][] = [
    ["truncated gzip", gzipSync("{}".repeat(9_999)).subarray(0, 30), gzip, 400],
    ["not gzip at all", '{"a":1}', gzip, 400],
    ["gzip in gzip", gzipSync(gzipSync("{}")), { "content-encoding": "gzip, gzip" }, 415],
    ["gzip bomb", gzipSync(bomb), gzip, 413],
    ["deflate bomb", deflateSync(bomb), { "content-encoding": "deflate" }, 413],
    ["br bomb", brotliCompressSync(bomb), { "content-encoding": "br" }, 413],
    ["zstd bomb", zstdCompressSync(bomb), { "content-encoding": "zstd" }, 413],
    ["too large", Buffer.alloc(65 * 2 ** 20, " "), {}, 413],
    ["no UTF-8", Buffer.from([0x22, 0xff, 0x22]), {}, 400],
    ["nesting", "[".repeat(100_000), {}, 400],
    ["nesting in objects", '{"a":'.repeat(100_000), {}, 400],
    ["a time out of range", '{"time":1e400}', {}, 400],
    ["a line too long", `{"a":"${"x".repeat(2 ** 20)}"}`, {}, 413],
    ["5,000 fields", JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [i, i]))), {}, 400],
    ["nothing", "", {}, 400],
    ["an image", "x", { "content-type": "image/png" }, 415],
    ["a long key of idempotency", "{}", { "idempotency-key": "x".repeat(256) }, 400],
    ["protobuf that is none", "hello", { "content-type": "application/x-protobuf" }, 400],
  ];
  for (const [what, body, headers, status] of cases) {
    const path = headers["content-type"] === "application/x-protobuf" ? "/v1/logs" : "/v1/events";
    const reply = await sender.post(body, headers, path).catch((error: Error) => ({ status: error.message }));
    expect([what, reply.status]).toEqual([what, status]);
  }
  expect((await sender.post('{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}},"n":1e400}')).status).toBe(200);
  await raw.until((batches) => batches.some(({ events }) => events.some((e) => e.attributes.includes("__proto__.x"))));
  expect(Number(/VmHWM:\s+(\d+)/.exec(await readStatus(receiver.pid))?.[1]) / 1024).toBeLessThan(400);
});

const readStatus = async (pid: number): Promise<string> =>
  (await import("node:fs/promises")).readFile(`/proc/${pid}/status`, "utf8");

test("a key that is no good is told so without a look at the body", async () => {
  const revoked = (await control("POST", "/keys", { kind: "ingest", source: astralog.source, name: "r" })) as {
    id: string;
    key: string;
  };
  await control("DELETE", `/keys/${revoked.id}`);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const cases: [string | undefined, string, number][] = [
    [undefined, "key_missing", 401],
    ["al_ing_nonsense", "key_malformed", 401],
    [makeKey("ingest"), "key_unknown", 401],
    [revoked.key, "key_revoked", 401],
    [astralog.queryKey, "key_wrong_kind", 403],
    [astralog.adminKey, "key_wrong_kind", 403],
  ];
  for (const [key, code, status] of cases) {
    const { answer, milliseconds } = await endlessPost(
      receiver,
      key === undefined ? [] : [`Authorization: Bearer ${key}`],
    );
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*${code}`));
    expect(milliseconds).toBeLessThan(3_000);
  }
  const head = (key: string) =>
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`;
  expect(await rawRequest(receiver, head(makeKey("ingest")), 2_000)).toMatch(/^HTTP\/1\.1 401 /);
  expect(await rawRequest(receiver, head(astralog.ingestKey), 300)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
  expect((await sender.post("{}", {}, `/v1/events?key=${astralog.ingestKey}`)).json.code).toBe("key_in_url");
  expect(receiver.output()).not.toContain(astralog.ingestKey);
});

test("a key that is revoked stops within a second, and none that was acknowledged is lost", async () => {
  const made = (await control("POST", "/keys", { kind: "ingest", source: astralog.source, name: "short" })) as {
    id: string;
    key: string;
  };
  const acknowledged: string[] = [];
  let stopped = 0;
  let revokedAt = Number.POSITIVE_INFINITY;
  let lastGood = 0;
  const busy = Promise.all(
    Array.from({ length: 4 }, async (_, lane) => {
      for (let i = 0; stopped < 4; i++) {
        const message = `revoked ${lane} ${i}`;
        const { status } = await sender.post(`{"msg":"${message}"}`, { authorization: `Bearer ${made.key}` });
        if (status === 200) {
          acknowledged.push(message);
          lastGood = performance.now();
        } else if (revokedAt < Number.POSITIVE_INFINITY) {
          stopped++;
          return;
        }
      }
    }),
  );
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  revokedAt = performance.now();
  await control("DELETE", `/keys/${made.id}`);
  await busy;
  expect(lastGood - revokedAt).toBeLessThan(1_000);
  expect(acknowledged.length).toBeGreaterThan(20);
  await raw.until(() => acknowledged.every((message) => raw.messages().includes(message)));
});

test("all tries with one idempotency key meet in one partition under one id", async () => {
  const headers = { "idempotency-key": "order-1" };
  const replies = await Promise.all(Array.from({ length: 50 }, () => sender.post('{"msg":"once"}', headers)));
  expect(replies.every(({ status }) => status === 200)).toBe(true);
  const written = () => raw.batches.filter(({ events }) => events[0]?.message === "once");
  await raw.until(() => written().length >= 50);
  expect(new Set(written().map(({ partition, header }) => `${partition} ${header.dedup_id}`)).size).toBe(1);
});

test.each([
  ["JSON", JsonExporter],
  ["protobuf", ProtobufExporter],
])("OpenTelemetry's own exporter is understood in %s", async (name, Exporter) => {
  const exporter = new Exporter({
    url: `${receiver.url}/v1/logs`,
    headers: { authorization: `Bearer ${astralog.ingestKey}` },
  });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ "service.name": `shop-${name}`, "host.name": "h1", region: "eu" }),
    processors: [new SimpleLogRecordProcessor({ exporter })],
  });
  provider.getLogger("lib", "1.0").emit({
    severityNumber: SeverityNumber.WARN,
    severityText: "WARN",
    body: `from ${name}`,
    attributes: { n: 7, ok: true, list: ["a", "b"] },
  });
  await provider.shutdown();
  await raw.until(() => raw.messages().includes(`from ${name}`));
  const event = raw.batches.flatMap(({ events }) => events).find(({ message }) => message === `from ${name}`);
  expect(event).toMatchObject({ service: `shop-${name}`, host: "h1", level: 13 });
  expect(event?.attributes.slice(0, 6)).toEqual(["n", "7", "ok", "true", "list", '["a","b"]']);
  expect(Math.abs((event?.millis ?? 0) - Date.now())).toBeLessThan(60_000);
});

test("every route answers JSON with security headers, and readiness is told on the main port too", async () => {
  for (const [method, path, status] of [
    ["GET", "/nothing", 404],
    ["GET", "/v1/events", 405],
    ["PUT", "/v1/logs", 405],
    ["POST", "/%E0%A4%A", 404],
  ] as const) {
    const answer = await fetch(receiver.url + path, { method });
    expect([path, answer.status]).toEqual([path, status]);
    expect(answer.headers.get("strict-transport-security")).toMatch(/max-age=31536000/);
    expect(answer.headers.get("content-security-policy")).toMatch(/default-src 'none'/);
    expect(typeof ((await answer.json()) as { code: unknown }).code).toBe("string");
  }
  expect((await fetch(`${receiver.url}/readyz`)).status).toBe(200);
  const metrics = await (await fetch(`${receiver.ops}/metrics`)).text();
  for (const name of ["requests_total", "events_total", "refusals_total", "in_flight_bytes", "acknowledge_seconds"])
    expect(metrics).toContain(`astralog_receiver_${name}`);
});

test("a SIGTERM under load loses nothing that was acknowledged", async () => {
  const second = await astralog.start("receiver");
  const other = client(astralog, second);
  const acknowledged: number[] = [];
  const unexpected: number[] = [];
  let next = 0;
  let gone = false;
  const busy = Array.from({ length: 8 }, async () => {
    while (!gone) {
      const batch = next++;
      const body = gzipSync(Array.from({ length: 500 }, (_, i) => `{"msg":"term ${batch} ${i}"}`).join("\n"));
      await other.post(body, { "content-type": "application/x-ndjson", "content-encoding": "gzip" }).then(
        ({ status }) => (status === 200 ? acknowledged : unexpected).push(batch),
        () => (gone = true),
      );
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const start = performance.now();
  const { code } = await second.kill("SIGTERM");
  expect(performance.now() - start).toBeLessThan(30_000);
  await Promise.all(busy);
  other.close();
  expect([code, unexpected]).toEqual([0, []]);
  expect(acknowledged.length).toBeGreaterThan(10);
  const stored = () => {
    const counts = new Map<number, number>();
    for (const message of raw.messages()) {
      const batch = Number(/^term (\d+) /.exec(message)?.[1] ?? -1);
      counts.set(batch, (counts.get(batch) ?? 0) + 1);
    }
    return counts;
  };
  await raw.until(() => {
    const counts = stored();
    return acknowledged.every((batch) => counts.get(batch) === 500);
  });
});
