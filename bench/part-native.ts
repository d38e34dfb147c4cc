/**
 * Sources that write to Kafka themselves: a backlog of records with one event each waits in one topic, then redactor and
 * sink, which stood still, drain it.
 */
import {
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  kafkaShape,
  loadConfig,
  type RecordProducer,
} from "@astralog/chassis";
import { encodeRecord } from "@astralog/schemas";
import { connectClickHouse } from "./clickhouse.ts";
import { generate } from "./generate.ts";
import type { Pipeline } from "./pipeline.ts";
import { type Cost, measure } from "./processes.ts";
import { storedEvents, untilStored } from "./stored.ts";

export interface NativeResult {
  readonly eventsPerSecond: number;
  readonly costs: readonly Cost[];
  readonly events: number;
}

interface Made {
  readonly username: string;
  readonly password: string;
  readonly topic: string;
  readonly schema_id: number;
}

const make = async ({ platform, service }: Pipeline): Promise<Made> => {
  const answer = await fetch(`${service("api").url}/api/v1/producers`, {
    method: "POST",
    headers: { authorization: `Bearer ${platform.adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({ source: platform.source }),
  });
  if (!answer.ok) throw new Error(`the api answers ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Made;
};

const connect = ({ platform }: Pipeline, { username, password }: Made): Promise<RecordProducer> => {
  const env = { ...platform.env("api"), KAFKA_USERNAME: username, KAFKA_PASSWORD: password };
  const log = createLog("bench", "fatal");
  const kafka = createKafka(loadConfig(kafkaShape, env), log, "bench");
  return createProducer(kafka, { log, metrics: createMetrics("bench") }, { lingerMs: 0 });
};

const partitions = 4;
const together = 500;

const fill = async (pipeline: Pipeline, made: Made, events: number): Promise<void> => {
  const producer = await connect(pipeline, made);
  let group: Buffer[] = [];
  let groups = 0;
  const send = async (): Promise<void> => {
    const partition = groups++ % partitions;
    await producer.sendTogether(group.map((value) => ({ topic: made.topic, partition, value })));
    group = [];
  };
  for (const { millis, nanos, attributes, ...rest } of generate(1, 0, events, events, Date.now())) {
    const pairs = attributes.flatMap((name, i) => (i % 2 === 0 ? [[name, attributes[i + 1] ?? ""] as const] : []));
    const timestamp = BigInt(millis) * 1_000_000n + BigInt(nanos);
    group.push(encodeRecord("Event", made.schema_id, { ...rest, timestamp, attributes: Object.fromEntries(pairs) }));
    if (group.length === together) await send();
  }
  if (group.length > 0) await send();
  await producer.close();
};

export const runNative = async (pipeline: Pipeline, events: number): Promise<NativeResult> => {
  const { stack, platform } = pipeline;
  const clickhouse = connectClickHouse(stack.clickhouse);
  const made = await make(pipeline);
  const before = await storedEvents(clickhouse, platform.tenant);
  for (const name of ["sink", "redactor"] as const) await pipeline.service(name).kill("SIGTERM");
  await fill(pipeline, made, events);
  for (const name of ["sink", "redactor"] as const) await pipeline.start(name);
  const costs = measure(pipeline.pids());
  // The clock starts with the first insert that is seen, so that starting processes is not counted.
  let first: { at: number; stored: number } | undefined;
  const seen = (stored: number): void => {
    if (stored > before) first ??= { at: performance.now(), stored };
  };
  await untilStored(clickhouse, platform.tenant, before + events, seen, 500);
  const spent = costs();
  const seconds = (performance.now() - (first?.at ?? 0)) / 1000;
  clickhouse.close();
  return { eventsPerSecond: (before + events - (first?.stored ?? 0)) / seconds, costs: spent, events };
};
