import { createDecipheriv, randomBytes } from "node:crypto";
import { Fault } from "@astralog/chassis";
import {
  BatchEncoder,
  decodeRecord,
  emptyHeader,
  encodeRecord,
  eventSpans,
  parseAvro,
  readBatchHeader,
  schemas,
  tombstone,
} from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import { deadLetter } from "./dead-letter.ts";
import { createJudge } from "./judge.ts";

const at = { topic: "events.raw", partition: 1, offset: 17 };
const event = { ...tombstone, millis: 1_750_000_000_000, nanos: 0, message: "user password=mango-River9" };
const batch = (events = [event], accepted = events.length): Buffer => {
  const encoder = new BatchEncoder();
  for (const one of events) encoder.append(one);
  return encoder.finish(4, {
    ...emptyHeader,
    tenant: "tn_a",
    source: "src_a",
    received_at: 1_750_000_000_000,
    accepted,
  });
};
const rename = (value: Buffer, id: number): Buffer => {
  const copy = Buffer.from(value);
  copy.writeInt32BE(id, 1);
  return copy;
};
// Another version's writer: a field more, in another place.
const foreign = parseAvro({
  ...(schemas.EventBatch as { fields: object[] }),
  fields: [{ name: "region", type: "string" }, ...(schemas.EventBatch as unknown as { fields: object[] }).fields],
} as never);
const known = new Map([
  [4, parseAvro(schemas.EventBatch)],
  [6, parseAvro(schemas.KeyRecord)],
  [8, foreign],
]);
const judge = createJudge({
  schemaId: 4,
  writerOf: (id) => {
    const type = known.get(id);
    if (id === 99) return Promise.reject(new Fault("registry_unavailable", "away", { retriable: true }));
    return type === undefined ? Promise.reject(new Fault("schema_unknown", "no such id")) : Promise.resolve(type);
  },
});

test.each([
  ["no value", null, "not_framed", 0],
  ["another magic byte", Buffer.from("{}\nplain"), "not_framed", 0],
  ["an unknown id", rename(batch(), 5), "unknown_schema", 0],
  ["another record", rename(batch(), 6), "wrong_schema", 0],
  ["a cut record", batch([event, event]).subarray(0, 90), "undecodable", 2],
  ["a tail", Buffer.concat([batch(), Buffer.alloc(3)]), "undecodable", 1],
  ["noise", Buffer.concat([Buffer.from([0, 0, 0, 0, 4]), randomBytes(200)]), "undecodable", 0],
  ["a wrong count", batch([event], 3), "count_mismatch", 3],
] as const)("%s dies as a whole and leaves an empty batch", async (_, value, reason, accepted) => {
  const verdict = await judge({ value, timestamp: 0 }, at);
  const { eventsAt, ...header } = readBatchHeader(verdict.value);
  expect(eventSpans(verdict.value, eventsAt)).toEqual([]);
  expect(header).toMatchObject({
    accepted,
    dropped: accepted > 0 ? { dead_letter: accepted } : {},
    raw_topic: "events.raw",
    raw_partition: 1,
    raw_offset: 17,
  });
  expect(verdict.deaths).toEqual([
    expect.objectContaining({
      index: -1,
      reason,
      payload: value ?? Buffer.alloc(0),
      tenant: accepted > 0 ? "tn_a" : "",
    }),
  ]);
  expect(JSON.stringify(verdict.deaths.map(({ detail }) => detail))).not.toContain("mango");
});

test("a registry that is away kills nothing", async () => {
  await expect(judge({ value: rename(batch(), 99), timestamp: 0 }, at)).rejects.toMatchObject({
    code: "registry_unavailable",
    retriable: true,
  });
});

test("another version's batch is read by its own schema and redacted", async () => {
  const record = decodeRecord("EventBatch", batch());
  const body = foreign.toBuffer({ ...record, region: "eu" });
  const verdict = await judge({ value: Buffer.concat([Buffer.from([0, 0, 0, 0, 8]), body]), timestamp: 0 }, at);
  expect(verdict).toMatchObject({ foreign: true, deaths: [], redactions: { password: 1 } });
  expect(decodeRecord("EventBatch", verdict.value).events[0]?.message).toBe("user password=[redacted:password]");
});

test("a batch too large for the topic dies instead of blocking it", async () => {
  const small = createJudge({ schemaId: 4, writerOf: () => Promise.reject(new Error("not asked")), maxBytes: 100 });
  expect((await small({ value: batch(), timestamp: 0 }, at)).deaths[0]).toMatchObject({
    reason: "too_large",
    tenant: "tn_a",
    index: -1,
  });
});

test("a dead letter opens with its key at its place only", () => {
  const key = randomBytes(32);
  const death = {
    tenant: "tn_a",
    source: "src_a",
    index: 2,
    reason: "redaction_failed" as const,
    detail: "",
    payload: Buffer.from("mango-River9"),
  };
  const letter = deadLetter(key, 3, at, death, 1_750_000_000_000);
  expect(letter.value.includes("mango")).toBe(false);
  const { payload, payload_bytes, offset, died_at } = decodeRecord("DeadLetter", letter.value);
  expect([letter.key, payload_bytes, offset, died_at]).toEqual(["events.raw/1/17/2", 12, 17n, 1_750_000_000_000n]);
  const open = (place: string): string => {
    const decipher = createDecipheriv("aes-256-gcm", key, payload.subarray(0, 12));
    decipher.setAAD(Buffer.from(place));
    decipher.setAuthTag(payload.subarray(-16));
    return Buffer.concat([decipher.update(payload.subarray(12, -16)), decipher.final()]).toString();
  };
  expect(open("events.raw/1/17/2")).toBe("mango-River9");
  expect(() => open("events.raw/1/18/2")).toThrow();
  // encodeRecord is what the sink and the api read by.
  expect(encodeRecord("DeadLetter", 3, decodeRecord("DeadLetter", letter.value))).toEqual(letter.value);
});
