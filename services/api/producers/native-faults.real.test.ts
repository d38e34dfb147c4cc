/** Native topics when something is away: a killed redactor or sink, the schema registry, a source beyond its rate. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordProducer } from "@astralog/chassis";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi, until } from "../api.driver.ts";
import { connectClickHouse } from "../clickhouse.ts";
import { createSource, updateSource } from "../control/sources.ts";
import { registerSchema } from "../provision/provision-registry.ts";
import { domainOf, eventValue, senderAs, senderOf } from "./native.driver.ts";
import type { MadeProducer } from "./producers.ts";

let one: Platform;
let api: RunningService;
let domain: ReturnType<typeof domainOf>;
let made: MadeProducer;
let sender: RecordProducer;
let clickhouse: ReturnType<typeof connectClickHouse>;
let registry: Server;
let registryUp = true;
/** A schema that a producer uses before the registry has it. */
const early = { id: 2_000_000_001, known: false };

beforeAll(async () => {
  one = await platform(sharedStack());
  domain = domainOf(one);
  const { url, database, users } = one.stack.clickhouse;
  clickhouse = connectClickHouse({ url, database, username: "astralog_admin", password: users.astralog_admin ?? "" });
  registry = createServer(async (request, response) => {
    if (!registryUp) {
      request.socket.destroy();
      return;
    }
    const path = early.known ? request.url?.replace(`/${early.id}`, `/${made.schemaId}`) : request.url;
    const answer = await fetch(one.stack.registry.url + (path ?? ""), {
      method: request.method ?? "GET",
      headers: { "content-type": request.headers["content-type"] ?? "application/json" },
      ...(request.method === "GET"
        ? {}
        : { body: await new Response(request as unknown as ReadableStream).arrayBuffer() }),
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  api = await one.start("api");
  made = await domain.create(one.source);
  sender = await senderOf(one, made);
});
afterAll(async () => {
  await sender?.close();
  registry?.close();
  await domain?.close();
  await clickhouse?.close();
  await one?.stop();
});

const redactorHere = () =>
  one.start("redactor", { REGISTRY_URL: `http://127.0.0.1:${(registry.address() as AddressInfo).port}` });
const counted = async (topic: string, beginning: string): Promise<{ all: number; distinct: number }> => {
  const result = await clickhouse.query({
    query: `SELECT toUInt32(count()) AS all, toUInt32(uniqExact(message)) AS distinct FROM events
      WHERE topic = '${topic}' AND startsWith(message, '${beginning}')`,
    format: "JSONEachRow",
  });
  const [row] = await result.json<{ all: number; distinct: number }>();
  return row ?? { all: 0, distinct: 0 };
};
const verify = async () => (await callApi(api)(one.adminKey, "GET", "/verify?wait=30")).body;

test("kill -9 of redactor and sink under load loses nothing and stores nothing twice", async () => {
  let running = [await redactorHere(), await one.start("sink")];
  let sending = true;
  let acked = 0;
  const load = (async () => {
    while (sending) {
      const sends = Array.from({ length: 40 }, (_, i) =>
        sender.send({
          topic: made.topic,
          partition: i % 4,
          value: eventValue(made.schemaId, `under load ${acked + i} password=mango-River9-quill`),
        }),
      );
      acked += (await Promise.all(sends)).length;
      await sleep(10);
    }
  })();
  for (const name of ["redactor", "sink", "redactor", "sink"] as const) {
    await sleep(600);
    const victim = running.find((service) => service.name === name);
    await victim?.kill("SIGKILL");
    const next = name === "redactor" ? await redactorHere() : await one.start("sink");
    running = [...running.filter((service) => service !== victim), next];
  }
  sending = false;
  await load;
  expect(acked).toBeGreaterThan(2_000);
  await until("all of them", async () =>
    (await counted(made.topic, "under load")).distinct >= acked ? true : undefined,
  );
  expect(await counted(made.topic, "under load")).toEqual({ all: acked, distinct: acked });
  expect(await verify()).toMatchObject({
    ok: true,
    accepted: acked,
    stored: acked,
    gaps: [],
    duplicates: [],
    mismatches: [],
  });
});

test("without the registry what is known goes on, what is not waits for it, and nothing is lost", async () => {
  // Known to the redactor since the test before; this one it has not met.
  const later = await registerSchema(
    { url: one.stack.registry.url, username: "", password: "" },
    `${made.topic}.later`,
    "TenantUsage",
  );
  registryUp = false;
  await sender.send({ topic: made.topic, partition: 0, value: eventValue(made.schemaId, "registry away, warm") });
  await until("the warm one", async () =>
    (await counted(made.topic, "registry away, warm")).all === 1 ? true : undefined,
  );
  const unmet = Buffer.from(eventValue(later, "never an event"));
  await sender.send({ topic: made.topic, partition: 1, value: unmet });
  await sender.send({ topic: made.topic, partition: 1, value: eventValue(made.schemaId, "registry away, behind") });
  await sender.send({ topic: made.topic, partition: 2, value: eventValue(made.schemaId, "registry away, beside") });
  await until("the one beside", async () =>
    (await counted(made.topic, "registry away, beside")).all === 1 ? true : undefined,
  );
  await sleep(1_000);
  expect((await counted(made.topic, "registry away, behind")).all).toBe(0);
  registryUp = true;
  await until("the one behind", async () =>
    (await counted(made.topic, "registry away, behind")).all === 1 ? true : undefined,
  );
  expect(await verify()).toMatchObject({ ok: true, dropped: { dead_letter: 1 } });
});

test("a source beyond its rate waits in Kafka by itself; another does not notice, and in the end all is there", async () => {
  const slow = await createSource(domain.db, one.tenant, { name: "slow", max_bytes_per_second: 200 }, domain.by);
  const producer = await domain.create(slow.id);
  // As a user whom the brokers do not slow down: it is the redactor's own limit that is looked at.
  const flood = await senderAs(one, "admin", one.stack.kafka.users.admin ?? "");
  const send = (message: string) =>
    flood.send({ topic: producer.topic, partition: 0, value: eventValue(producer.schemaId, message) });
  // The first is taken as a whole, and is the rate of five minutes: what comes after it has to wait for longer than a test.
  await send(`flood 0 ${"x".repeat(60_000)}`);
  await until("the first", async () => ((await counted(producer.topic, "flood 0")).all === 1 ? true : undefined));
  await send("flood 1");
  await sender.send({ topic: made.topic, partition: 3, value: eventValue(made.schemaId, "undisturbed") });
  await until("the other's", async () => ((await counted(made.topic, "undisturbed")).all === 1 ? true : undefined));
  expect((await counted(producer.topic, "flood 1")).all).toBe(0);
  await updateSource(domain.db, one.tenant, slow.id, { max_bytes_per_second: 0 }, domain.by);
  await until("the second", async () => ((await counted(producer.topic, "flood 1")).all === 1 ? true : undefined));
  expect(await verify()).toMatchObject({ ok: true, gaps: [] });
  await flood.close();
});

test("what died for a schema that the registry did not have is sent back once it has, and stored once", async () => {
  const value = Buffer.from(eventValue(made.schemaId, "ahead of the registry password=mango-River9-quill"));
  value.writeInt32BE(early.id, 1);
  await sender.send({ topic: made.topic, partition: 2, value });
  const call = callApi(api);
  const letter = await until("the letter", async () => {
    const { body } = await call(one.adminKey, "GET", "/dead?reason=unknown_schema");
    return (body.dead as { id: string; payload_bytes: number }[])[0];
  });
  expect(letter.payload_bytes).toBe(value.length);
  early.known = true;
  // So long the redactor believes what it was told of an id.
  await sleep(5_200);
  const replay = () => call(one.adminKey, "POST", `/dead/${letter.id}/replay`);
  const twice = [await replay(), await replay()];
  expect(twice.map(({ status }) => status)).toEqual([202, 202]);
  expect(twice[0]?.body.replayed_as).toMatch(/^native\.src_\w+:2-\d+$/);
  await until("both to be judged", async () => {
    const { ok, dropped } = await verify();
    return ok === true && (dropped as Record<string, number>).duplicate === 1 ? true : undefined;
  });
  expect((await counted(made.topic, "ahead of the registry password=[redacted:password]")).all).toBe(1);
  const third = await replay();
  expect([third.status, third.body.code]).toEqual([409, "cannot_replay"]);
});
