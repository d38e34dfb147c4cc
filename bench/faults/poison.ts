import { setTimeout as sleep } from "node:timers/promises";
import { BatchEncoder, emptyHeader, topics } from "@astralog/schemas";
import { numberIn } from "../clickhouse.ts";
import type { Fault } from "../fault.ts";
import { adminKafka, adminProducer } from "../kafka.ts";

/** A good EventBatch value with one event, under the schema id that Kafka's records carry. */
const goodValue = (schemaId: number): Buffer => {
  const encoder = new BatchEncoder();
  encoder.append({
    millis: Date.now(),
    nanos: 0,
    level: 9,
    service: "",
    host: "",
    message: "never to be stored",
    trace_id: "",
    span_id: "",
    attribute_types: "",
    attributes: [],
  });
  return encoder.finish(schemaId, { ...emptyHeader, tenant: "tn_poison", source: "src_poison", accepted: 1 });
};

const schemaIds = async (registry: string, subject: string): Promise<number> => {
  const answer = await fetch(`${registry}/subjects/${encodeURIComponent(subject)}/versions/latest`);
  return ((await answer.json()) as { id: number }).id;
};

/** What is no EventBatch, each in another way. */
const poisons = (batchId: number, otherId: number): readonly (readonly [string, Buffer])[] => {
  const good = goodValue(batchId);
  const wrongMagic = Buffer.from(good);
  wrongMagic[0] = 7;
  const unknownId = Buffer.from(good);
  unknownId.writeInt32BE(99_999_999, 1);
  const otherType = Buffer.from(good);
  otherType.writeInt32BE(otherId, 1);
  return [
    ["raw bytes", Buffer.from("this is no record at all")],
    ["nothing", Buffer.alloc(0)],
    ["a wrong magic byte", wrongMagic],
    ["an unknown schema id", unknownId],
    ["a cut record", good.subarray(0, good.length - 9)],
    ["another type's schema id", otherType],
    ["bytes behind the end", Buffer.concat([good, Buffer.from("more")])],
    ["an absurd length", Buffer.concat([good.subarray(0, 5), Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f])])],
  ];
};

const storedWithinMs = 5_000;

/** R9: poison between good records in every partition. It is dead-lettered with reason and place; nothing waits for it. */
export const poison = (): Fault => {
  let planted = 0;
  return {
    id: "R9",
    title: "poison between good records",
    run: async ({ pipeline, clickhouse, ledger, scaled, broken, note }) => {
      const { platform, stack } = pipeline;
      const kafka = adminKafka(platform);
      const producer = await adminProducer(kafka);
      const topic = kafka.name(topics.raw.name);
      const batchId = await schemaIds(stack.registry.url, `${topic}-value`);
      const keyId = await schemaIds(stack.registry.url, `${kafka.name(topics.keys.name)}-value`);
      planted = 0;
      for (let round = 0; round < scaled(20, 2); round++) {
        for (let partition = 0; partition < topics.raw.partitions; partition++) {
          for (const [, value] of poisons(batchId, keyId)) {
            await producer.send({ topic, partition, value });
            planted++;
          }
        }
        await sleep(250);
      }
      await producer.close();
      // Good events that are acknowledged now must not wait for the poison.
      const begun = performance.now();
      const acked = ledger.ackedCount;
      const stored = () => numberIn(clickhouse, `SELECT count() FROM events WHERE tenant = '${platform.tenant}'`);
      while ((await stored()) < acked) {
        await sleep(50);
        if (performance.now() - begun > 60_000) break;
      }
      const ms = performance.now() - begun;
      note(`${planted} poison records; good ones behind them stored ${(ms / 1000).toFixed(1)} s later`);
      if (ms > storedWithinMs) broken(`good events waited ${(ms / 1000).toFixed(1)} s behind poison`);
    },
    after: async ({ pipeline, clickhouse, broken, note }) => {
      const where = `FROM dead_letters FINAL WHERE topic = '${pipeline.platform.prefix}${topics.raw.name}' AND index = -1`;
      const dead = await numberIn(clickhouse, `SELECT count() ${where}`);
      const reasons = await clickhouse.rows<{ reason: string; n: string }>(
        `SELECT reason, count() AS n ${where} GROUP BY reason ORDER BY reason`,
      );
      note(`dead letters: ${reasons.map(({ reason, n }) => `${reason} ${n}`).join(", ")}`);
      if (dead !== planted) broken(`${dead} dead letters of ${planted} poison records`);
      const plain = await numberIn(
        clickhouse,
        `SELECT count() ${where} AND position(payload, 'never to be stored') > 0`,
      );
      if (plain > 0) broken(`${plain} dead letters lie there unencrypted`);
    },
  };
};
