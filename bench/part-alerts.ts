/**
 * Alerts from an acknowledged event to somebody's webhook: 1,000 rules of 100 organizations over a steady stream through
 * receiver, redactor and alerter. First nobody is told, so what is measured is what judging costs; then each organization
 * has a webhook, and one event in a thousand is one that somebody wants to hear of.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import {
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  kafkaShape,
  loadConfig,
  makeWebhookSecret,
} from "@astralog/chassis";
import { encodeRecord, hashKey, makeKey, type RecordName, type Records, topics } from "@astralog/schemas";
import type { Notice, RuleInput } from "@astralog/schemas/alerts/index";
import { createAlertDriver, until, webhookRecord } from "@astralog/testbed";
import { percentile } from "./figures.ts";
import { generate, toJson } from "./generate.ts";
import { createLoader } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";
import { cpuOf, peakRssOf } from "./processes.ts";

export interface AlertsResult {
  readonly rules: number;
  readonly eventsPerSecond: number;
  /** Of one core: without rules, with them, and while people are told. */
  readonly idleShare: number;
  readonly judgingShare: number;
  readonly tellingShare: number;
  readonly peakRss: number;
  /** From an event's acknowledgement to the webhook that tells of it. */
  readonly matchMs: { p50: number; p99: number };
  /** From a window's end to the webhook. */
  readonly windowMs: { p50: number; p99: number };
  readonly told: number;
  /** Events that were acknowledged and not told, and told twice. */
  readonly missed: number;
  readonly repeated: number;
}

const tenants = 100;
const rate = 20_000;
const perBody = 100;
const judgingSeconds = 20;
const tellingSeconds = 40;
/** Twenty a second are looked for by a match. */
const needleEveryMs = 50;

const ten = { window: "10s", every: "10s" } as const;
/** As people have them: a few words that must not occur, and levels and sums by service. */
const rulesOf = (): RuleInput[] => {
  const threshold = (id: string, query: string, more: object = {}): RuleInput => ({
    ...{ id, name: id, when: { type: "threshold", query, by: ["service"], above: 1_000_000, ...ten, ...more } },
  });
  return [
    { id: "needle", name: "Needle", when: { type: "match", query: "needle", limit: 1_000 } },
    { id: "oom", name: "Memory", when: { type: "match", query: "/out of memory|heap exhausted/i" } },
    threshold("errors", "level:error"),
    // Each window has a group of its own, so each window fires once.
    threshold("rounds", "round:*", { above: 0, by: ["round"] }),
    threshold("server", "status:>=500"),
    threshold("slow", "duration_ms:>1s", { value: "avg(duration_ms)" }),
    threshold("refused", '"connection refused" OR timeout'),
    { id: "share", name: "Share", when: { type: "ratio", query: "level:error", of: "", above: 0.99, ...ten } },
    { id: "silent", name: "Silent", when: { type: "absence", query: "", window: "1m", every: "10s" } },
    {
      id: "login",
      name: "Logins",
      when: { type: "threshold", query: "path:/login* method:POST", above: 1_000_000, ...ten },
    },
  ];
};

/** Everybody's webhook, and when it heard what. */
const listen = async () => {
  const heard: { rule: string; found: Notice["incidents"][number]; at: number }[] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const at = Date.now();
      response.writeHead(204).end();
      const { data } = JSON.parse(Buffer.concat(pieces).toString()) as { data: Notice };
      if (data.happening === "began") for (const found of data.incidents) heard.push({ rule: data.rule.id, found, at });
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    heard,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

export const runAlerts = async (pipeline: Pipeline): Promise<AlertsResult> => {
  const { platform } = pipeline;
  const running = async (name: "receiver" | "redactor" | "alerter") =>
    pipeline.pids()[name] === undefined ? pipeline.start(name) : pipeline.service(name);
  await Promise.all([running("receiver"), running("redactor")]);
  const alerter = await running("alerter");
  const env = {
    ...platform.env("api"),
    KAFKA_USERNAME: "admin",
    KAFKA_PASSWORD: platform.stack.kafka.users.admin ?? "",
  };
  const config = loadConfig(kafkaShape, env);
  const log = createLog("bench", "fatal");
  const kafka = createKafka(config, log, "bench");
  const registry = createRegistry(config);
  const producer = await createProducer(kafka, { log, metrics: createMetrics("bench") }, { lingerMs: 0 });
  const driver = await createAlertDriver(platform, { kafkaOnly: true });
  const say = async <N extends RecordName>(record: N, plain: string, key: string, value: Records[N]) => {
    const topic = kafka.name(plain);
    const bytes = encodeRecord(record, await registry.idOf(record, topic), value);
    await producer.send({ topic, partition: 0, key, value: bytes });
  };

  const names = Array.from({ length: tenants }, (_, i) => `tn_bench${i}`);
  const loaders = await Promise.all(
    names.map(async (tenant) => {
      const [key, source] = [makeKey("ingest"), `src_${tenant}`];
      const known = { disabled: false, retention_days: 30, partitions: 1, max_bytes_per_second: 0n };
      await say("SourceRecord", topics.sources.name, `${tenant}/${source}`, {
        tenant,
        source,
        name: "app",
        ...known,
        native_partitions: [],
      });
      const times = { expires_at: 0n, revoked_at: 0n };
      await say("KeyRecord", topics.keys.name, hashKey(key), {
        ...{ hash: hashKey(key), id: `key_${tenant}`, kind: "ingest", tenant, source, ...times },
        ...{ ip_allowlist: [], permissions: [], sources: [] },
      });
      return createLoader({ ...pipeline.target(), key }, 4);
    }),
  );
  const post = async (tenant: number, body: Uint8Array): Promise<void> => {
    const answer = await loaders[tenant % tenants]?.post(body);
    if (answer?.status !== 200) throw new Error(`answered ${answer?.status}: ${answer?.text.slice(0, 200)}`);
  };
  const bodyOf = (events: readonly object[]): Buffer =>
    gzipSync(events.map((event) => `${JSON.stringify(event)}\n`).join(""), { level: 1 });
  // Without a time of their own they have that of their receipt.
  const events = [...generate(1, 0, 20_000, 20_000, Date.now())].map((event) => ({
    ...(JSON.parse(toJson(event)) as object),
    timestamp: undefined,
  }));
  const stock = Array.from({ length: events.length / perBody }, (_, i) =>
    bodyOf(events.slice(i * perBody, (i + 1) * perBody)),
  );
  const first = bodyOf([{ message: "is the key known?" }]);
  for (let i = 0; i < tenants; i++)
    await until("keys that are known", () =>
      post(i, first).then(
        () => true,
        () => undefined,
      ),
    );

  const share = async (work: () => Promise<void>): Promise<number> => {
    const [cpu, at] = [cpuOf(alerter.pid), performance.now()];
    await work();
    return (cpuOf(alerter.pid) - cpu) / ((performance.now() - at) / 1_000);
  };
  await sleep(2_000);
  const idleShare = await share(() => sleep(5_000));

  const rules = rulesOf();
  await Promise.all(names.flatMap((name) => rules.map((rule) => driver.put(name, rule))));
  // They are compiled and taken up once.
  await sleep(4_000);

  let sent = 0;
  let seconds = 0;
  const acked = new Map<string, number>();
  const stream = async (forSeconds: number, needles: boolean): Promise<void> => {
    const begun = performance.now();
    const underWay: Promise<void>[] = [];
    let bodies = 0;
    let asked = 0;
    for (let at = 0; at < forSeconds * 1_000; at = performance.now() - begun) {
      for (; bodies * perBody < (at / 1_000) * rate; bodies++)
        underWay.push(post(bodies, stock[bodies % stock.length] as Buffer));
      for (; needles && asked < at / needleEveryMs; asked++) {
        const needle = `needle ${asked}`;
        const body = bodyOf([{ message: needle, service: "shop", round: Math.floor(Date.now() / 10_000) }]);
        underWay.push(post(asked, body).then(() => void acked.set(needle, Date.now())));
      }
      await sleep(5);
    }
    await Promise.all(underWay);
    sent += bodies * perBody;
    seconds += (performance.now() - begun) / 1_000;
  };
  const judgingShare = await share(() => stream(judgingSeconds, false));

  const hook = await listen();
  for (const tenant of names) {
    const { deployment } = platform;
    const record = webhookRecord({ tenant, deployment }, "hook", hook.url, { secret: makeWebhookSecret() }, true);
    await say("AlertDestination", topics.alertDestinations.name, `${tenant}/hook`, record);
  }
  await sleep(1_000);
  const tellingShare = await share(() => stream(tellingSeconds, true));

  const told = () => hook.heard.filter(({ rule }) => rule === "needle");
  await until("all matches", () => (told().length >= acked.size ? true : undefined), 30_000).catch(() => undefined);
  await sleep(500);
  const times = new Map<string, number>();
  let repeated = 0;
  for (const { found, at } of told()) {
    const needle = /needle \d+/.exec(found.lines[0] ?? "")?.[0] ?? "";
    if (times.has(needle)) repeated++;
    else times.set(needle, at);
  }
  const matchMs = [...acked].flatMap(([needle, at]) => {
    const heardAt = times.get(needle);
    return heardAt === undefined ? [] : [Math.max(0, heardAt - at)];
  });
  const windowMs = hook.heard
    .filter(({ rule, found }) => rule === "rounds" && found.state === "firing")
    .map(({ found, at }) => at - Date.parse(found.since));
  for (const loader of loaders) loader.close();
  hook.close();
  await driver.close();
  await producer.close();
  return {
    ...{ rules: tenants * rules.length, eventsPerSecond: sent / seconds, idleShare, judgingShare, tellingShare },
    peakRss: peakRssOf(alerter.pid),
    matchMs: { p50: percentile(matchMs, 0.5), p99: percentile(matchMs, 0.99) },
    windowMs: { p50: percentile(windowMs, 0.5), p99: percentile(windowMs, 0.99) },
    ...{ told: hook.heard.length, missed: acked.size - times.size, repeated },
  };
};
