/** What an alerter must know to go on with a partition, as a record of alerts.positions or alerts.state. */
import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { KafkaAdmin, Log, TopicReader } from "@astralog/chassis";
import { decodeRecord, encodeRecord } from "@astralog/schemas";

const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

export const encodeSnapshot = async (
  schemaId: number,
  format: number,
  { partition, through, body }: { partition: number; through: number; body: unknown },
): Promise<Buffer> =>
  encodeRecord("AlertSnapshot", schemaId, {
    partition,
    through: BigInt(through),
    at: BigInt(Date.now()),
    format,
    body: await deflate(JSON.stringify(body), { level: 1 }),
  });

/** The newest of a partition; undefined when there is none, or none that this version can read. */
export const readSnapshot = async <T>(
  { admin, reader, log }: { admin: KafkaAdmin; reader: TopicReader; log: Log },
  { topic, partition, format }: { topic: string; partition: number; format: number },
): Promise<T | undefined> => {
  const ends = await admin.fetchTopicOffsets(topic);
  const end = ends.find((one) => one.partition === partition);
  const [low, high] = [Number(end?.low ?? 0), Number(end?.high ?? 0)];
  let found: T | undefined;
  await reader.read({ topic, partition, from: Math.max(low, high - 1), to: high }, async (records) => {
    for (const { value } of records) {
      if (value === null) continue;
      try {
        const snapshot = decodeRecord("AlertSnapshot", value);
        if (snapshot.format !== format) throw new Error(`its format is ${snapshot.format}, not ${format}`);
        found = JSON.parse((await inflate(snapshot.body)).toString("utf8")) as T;
      } catch (error) {
        log.warn({ err: error, topic, partition }, "a snapshot cannot be read: its partition begins anew");
      }
    }
  });
  return found;
};
