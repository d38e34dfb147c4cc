/**
 * The one seam to Kafka: no other file imports a Kafka client, so that another client can take its place.
 *
 * kafkajs is used without its idempotent producer. After a send that failed for good, that producer reuses the sequence
 * numbers for other records, and a broker that had stored the first ones answers "already have it" to the second: an
 * acknowledged loss. Instead every repeat is recognised downstream, by dedup_id and by raw offset.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32c } from "@node-rs/crc32";
import kafkajs, { type Admin, type Consumer, type Producer } from "kafkajs";
import { compressFrame, decompressFrame } from "lz4-napi";
import type { Config, kafkaShape } from "./config.ts";
import { sendPieces } from "./kafka-encoder.ts";
import { type ClientQuotas, createQuotas } from "./kafka-quotas.ts";
import { createScram, type ScramCredentials } from "./kafka-scram.ts";
import type { Log } from "./log.ts";

export type {
  Admin as KafkaAdmin,
  Consumer as KafkaConsumer,
  EachBatchPayload,
  Producer as KafkaProducer,
} from "kafkajs";

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

/** The protocol's own numbers, for the one command that makes topics and rights. */
export const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ConfigResourceTypes, ResourcePatternTypes } =
  kafkajs;

// kafkajs computes CRC-32C in JavaScript at under 0.5 GB/s; the native one runs at several, with the same values.
const crcModule = createRequire(import.meta.url).resolve("kafkajs/src/protocol/recordBatch/crc32C/index.js");
createRequire(import.meta.url)(crcModule);
const cached = createRequire(import.meta.url).cache[crcModule];
if (cached === undefined)
  throw new Error("kafkajs no longer has its CRC-32C where it was: look again before updating it");
cached.exports = (bytes: Buffer) => crc32c(bytes);

sendPieces();

CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder: { buffer: Buffer }) => compressFrame(encoder.buffer),
  decompress: (bytes: Buffer) => decompressFrame(bytes),
});

// kafkajs sets timers in the past on new versions of Node, which is harmless and would be printed at each.
const { emitWarning } = process;
process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
  const type = typeof rest[0] === "string" ? rest[0] : (rest[0] as { type?: string } | undefined)?.type;
  if (type !== "TimeoutNegativeWarning") Reflect.apply(emitWarning, process, [warning, ...rest]);
}) as typeof process.emitWarning;

export type KafkaConfig = Config<typeof kafkaShape>;

export interface KafkaClient {
  /** A topic or group name as the cluster has it. */
  name(plain: string): string;
  producer(): Producer;
  consumer(options: {
    groupId: string;
    maxBytesPerPartition: number;
    maxBytes: number;
    maxWaitMs: number;
    sessionTimeoutMs: number;
  }): Consumer;
  admin(): Admin;
  scram(): ScramCredentials;
  quotas(): ClientQuotas;
  readonly compression: number;
}

/**
 * Kafka's verdicts on a record itself. All else, whatever the client calls it, is about the way there: kafkajs marks even
 * a refused connection as final once its own tries are used up.
 */
const refusals = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"]);

/** Whether a failed call to Kafka may succeed when tried again. */
export const isRetriable = (error: unknown): boolean => {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { type } = each as { type?: unknown };
    if (typeof type === "string" && refusals.has(type)) return false;
  }
  return true;
};

/** Describes the cluster; nothing is connected yet. */
export const createKafka = (config: KafkaConfig, log: Log, clientId: string): KafkaClient => {
  const kafka = new Kafka({
    clientId,
    brokers: [...config.KAFKA_BROKERS],
    ...(config.KAFKA_TLS
      ? { ssl: config.KAFKA_CA_FILE === "" ? true : { ca: [readFileSync(config.KAFKA_CA_FILE, "utf8")] } }
      : {}),
    ...(config.KAFKA_USERNAME === ""
      ? {}
      : {
          sasl: {
            mechanism: "scram-sha-256" as const,
            username: config.KAFKA_USERNAME,
            password: config.KAFKA_PASSWORD,
          },
        }),
    connectionTimeout: 3_000,
    authenticationTimeout: 5_000,
    requestTimeout: 10_000,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: logLevel.WARN,
    // The client retries by itself, so nothing it says is worse than a warning here.
    logCreator: () => (entry) => {
      const { message, ...fields } = entry.log;
      log.warn({ kafka: { message, ...pick(fields) } }, "kafka client");
    },
  });
  return {
    name: (plain) => config.KAFKA_TOPIC_PREFIX + plain,
    producer: () =>
      kafka.producer({
        allowAutoTopicCreation: false,
        // Who sends chooses the partition; kafkajs asks its partitioner all the same.
        createPartitioner:
          () =>
          ({ message }) =>
            message.partition ?? 0,
        maxInFlightRequests: 1,
        retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 4 },
      }),
    consumer: (options) =>
      kafka.consumer({
        groupId: config.KAFKA_TOPIC_PREFIX + options.groupId,
        allowAutoTopicCreation: false,
        maxBytesPerPartition: options.maxBytesPerPartition,
        maxBytes: options.maxBytes,
        maxWaitTimeInMs: options.maxWaitMs,
        sessionTimeout: options.sessionTimeoutMs,
        heartbeatInterval: Math.floor(options.sessionTimeoutMs / 6),
        rebalanceTimeout: 15_000,
        metadataMaxAge: 60_000,
        retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 10 },
      }),
    admin: () => patient(kafka.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 } })),
    scram: () => createScram(clusterOf(kafka)),
    quotas: () => createQuotas(clusterOf(kafka)),
    compression: config.KAFKA_COMPRESSION === "lz4" ? CompressionTypes.LZ4 : CompressionTypes.None,
  };
};

const electionMs = [100, 200, 400, 800, 1_000, 1_000, 1_000];

/**
 * What `ask` gives, asked again while a partition's leader is not one yet: a broker is told of that moments after others are.
 * kafkajs gives up on this answer at once, and a service would not start just then.
 */
export const throughElection = async <T>(ask: () => Promise<T>, waits: readonly number[] = electionMs): Promise<T> => {
  for (const wait of waits) {
    try {
      return await ask();
    } catch (error) {
      const { type } = error as { type?: unknown };
      if (type !== "NOT_LEADER_FOR_PARTITION" && type !== "LEADER_NOT_AVAILABLE") throw error;
      await sleep(wait);
    }
  }
  return ask();
};

const patient = (admin: Admin): Admin => ({
  ...admin,
  fetchTopicOffsets: (topic) => throughElection(() => admin.fetchTopicOffsets(topic)),
  fetchTopicOffsetsByTimestamp: (topic, at) => throughElection(() => admin.fetchTopicOffsetsByTimestamp(topic, at)),
});

/** How kafkajs makes the connections of its admin; it shows them to nobody. */
const clusterOf = (kafka: object): (() => unknown) => {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  const make = symbol === undefined ? undefined : (kafka as Record<symbol, unknown>)[symbol];
  if (typeof make !== "function")
    throw new Error("kafkajs no longer makes its clusters where it did: look again before updating it");
  return () => make({ allowAutoTopicCreation: false });
};

const pick = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    ["error", "broker", "groupId", "memberId", "retryCount", "topic"].flatMap((name) =>
      name in fields ? [[name, fields[name]]] : [],
    ),
  );
