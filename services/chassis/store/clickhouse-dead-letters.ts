/** Dead letters on their way into ClickHouse. Writing one twice is harmless: its coordinates are the table's key. */
import { createHash } from "node:crypto";
import type { ClickHouse } from "./clickhouse.ts";

export interface Letter {
  topic: string;
  partition: number;
  offset: number;
  index: number;
  tenant: string;
  source: string;
  reason: string;
  detail: string;
  /** Milliseconds since the epoch. */
  died_at: number;
  payload_bytes: number;
  /** none: the payload is the Kafka value as it lay in events.clean, already redacted. */
  encryption: "aes-256-gcm" | "none";
  payload: Buffer;
  dead_topic: string;
  dead_partition: number;
  dead_offset: number;
}

const inputColumns = `topic String, partition UInt16, offset UInt64, \`index\` Int32, tenant String, source String,
  reason String, detail String, died_at Int64, payload_bytes UInt32, encryption String, payload String, dead_topic String,
  dead_partition UInt16, dead_offset UInt64`.replaceAll("\n", " ");

export const createDeadLetters = (clickhouse: ClickHouse) => ({
  /** Throws as ClickHouse.insert does. */
  insert: async (letters: readonly Letter[]): Promise<void> => {
    if (letters.length === 0) return;
    const body = letters
      .map((letter) => JSON.stringify({ ...letter, payload: letter.payload.toString("base64") }))
      .join("\n");
    await clickhouse.insert({
      query: `INSERT INTO dead_letters (topic, partition, offset, \`index\`, tenant, source, reason, detail, died_at,
          payload_bytes, encryption, payload, dead_topic, dead_partition, dead_offset)
        SELECT topic, partition, offset, \`index\`, tenant, source, reason, detail, fromUnixTimestamp64Milli(died_at, 'UTC'),
          payload_bytes, encryption, base64Decode(payload), dead_topic, dead_partition, dead_offset
        FROM input('${inputColumns}') FORMAT JSONEachRow`,
      queryId: `astralog-sink-letters:${createHash("sha256").update(body).digest("hex").slice(0, 32)}:${Date.now()}`,
      params: {},
      rows: letters.length,
      body: Buffer.from(body),
    });
  },
});
