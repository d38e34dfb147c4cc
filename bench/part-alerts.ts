/**
 * The alerter alone, under a steady stream: 1,000 rules over 100 organizations. The stream is written to events.clean as the
 * redactor would, so what is measured is the alerter's own cost, and its time from a record's confirmation to the change
 * that it led to, as somebody who reads alerts.transitions sees it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import {
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import { BatchEncoder, emptyHeader, tenantPartitions, topics } from "@astralog/schemas";
import type { RuleInput } from "@astralog/schemas/alerts/index";
import { createAlertDriver, until } from "@astralog/testbed";
import { percentile } from "./figures.ts";
import { generate } from "./generate.ts";
import type { Pipeline } from "./pipeline.ts";
import { cpuOf, peakRssOf } from "./processes.ts";

export interface AlertsResult {
  readonly rules: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** Of one core. */
  readonly cpuShare: number;
  readonly idleShare: number;
  readonly peakRss: number;
  /** From a record's confirmation to the change of its match. */
  readonly matchMs: { p50: number; p99: number };
  /** From a window's end to its change. */
  readonly windowMs: { p50: number; p99: number };
  /** Matches that were sent and not told, and told twice. */
  readonly missed: number;
  readonly repeated: number;
}

const tenants = 100;
const rate = 20_000;
const perBatch = 100;
const seconds = 40;

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
    threshold("busy", "", { above: 1, by: [] }),
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

export const runAlerts = async (pipeline: Pipeline): Promise<AlertsResult> => {
  const { platform } = pipeline;
  const alerter = await pipeline.start("alerter");
  const env = {
    ...platform.env("api"),
    KAFKA_USERNAME: "admin",
    KAFKA_PASSWORD: platform.stack.kafka.users.admin ?? "",
  };
  const config = loadConfig(kafkaShape, env);
  const log = createLog("bench", "fatal");
  const kafka = createKafka(config, log, "bench");
  const producer = await createProducer(kafka, { log, metrics: createMetrics("bench") }, { lingerMs: 0 });
  const driver = await createAlertDriver(platform);
  const topic = kafka.name(topics.clean.name);
  const raw = kafka.name(topics.raw.name);
  const schemaId = await createRegistry(config).idOf("EventBatch", topic);
  const names = Array.from({ length: tenants }, (_, i) => `tn_bench${i}`);
  const place = new Map(names.map((name) => [name, tenantPartitions(name, 1, topics.clean.partitions)[0] ?? 0]));

  const share = async (ms: number, work: () => Promise<void>): Promise<number> => {
    const [cpu, at] = [cpuOf(alerter.pid), performance.now()];
    await work();
    const left = ms - (performance.now() - at);
    if (left > 0) await sleep(left);
    return (cpuOf(alerter.pid) - cpu) / ((performance.now() - at) / 1_000);
  };
  await sleep(2_000);
  const idleShare = await share(5_000, async () => undefined);

  const rules = rulesOf();
  await Promise.all(names.flatMap((name) => rules.map((rule) => driver.put(name, rule))));
  // They are compiled and taken up once.
  await sleep(4_000);

  const stock = [...generate(1, 0, 200_000, 200_000, Date.now())];
  const encoder = new BatchEncoder();
  const offsets = new Array<number>(topics.clean.partitions).fill(0);
  const confirmed = new Map<string, number>();
  let [sent, batches] = [0, 0];
  const send = (): Promise<void> => {
    const tenant = names[batches % tenants] ?? "";
    const partition = place.get(tenant) ?? 0;
    const now = Date.now();
    for (let i = 0; i < perBatch; i++) {
      const event = stock[sent++ % stock.length];
      if (event !== undefined) encoder.append({ ...event, millis: now });
    }
    const needle = batches % 10 === 0 ? `needle ${batches}` : "";
    if (needle !== "") encoder.append({ ...(stock[0] as (typeof stock)[number]), millis: now, message: needle });
    batches++;
    const value = encoder.finish(schemaId, {
      ...emptyHeader,
      ...{ tenant, source: "src", received_at: now, accepted: encoder.count, raw_topic: raw },
      ...{ raw_partition: partition, raw_offset: offsets[partition] ?? 0 },
    });
    offsets[partition] = (offsets[partition] ?? 0) + 1;
    return producer.send({ topic, partition, value }).then(() => {
      if (needle !== "") confirmed.set(needle, Date.now());
    });
  };
  const begun = performance.now();
  const cpuShare = await share(seconds * 1_000, async () => {
    const underWay: Promise<void>[] = [];
    while (performance.now() - begun < seconds * 1_000) {
      while (sent < ((performance.now() - begun) / 1_000) * rate) underWay.push(send());
      await sleep(5);
    }
    await Promise.all(underWay);
  });
  const eventsPerSecond = sent / ((performance.now() - begun) / 1_000);
  const told = () => driver.of("needle").filter(({ to_state: to }) => to === "firing");
  await until("all matches", () => (told().length >= confirmed.size ? true : undefined), 30_000).catch(() => undefined);
  await sleep(500);
  const heard = new Map<string, number>();
  let repeated = 0;
  for (const { lines, heardAt } of told()) {
    const needle = /needle \d+/.exec(lines[0] ?? "")?.[0] ?? "";
    if (heard.has(needle)) repeated++;
    else heard.set(needle, heardAt);
  }
  const matchMs = [...confirmed].flatMap(([needle, at]) =>
    heard.has(needle) ? [Math.max(0, (heard.get(needle) ?? 0) - at)] : [],
  );
  const windowMs = driver.of("busy").map(({ heardAt, window_to: end }) => heardAt - Number(end));
  await driver.close();
  await producer.close();
  return {
    ...{ rules: tenants * rules.length, events: sent, eventsPerSecond, cpuShare, idleShare },
    peakRss: peakRssOf(alerter.pid),
    matchMs: { p50: percentile(matchMs, 0.5), p99: percentile(matchMs, 0.99) },
    windowMs: { p50: percentile(windowMs, 0.5), p99: percentile(windowMs, 0.99) },
    missed: confirmed.size - heard.size,
    repeated,
  };
};
