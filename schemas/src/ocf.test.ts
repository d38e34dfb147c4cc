import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import avro from "avsc";
import fc from "fast-check";
import { AvroWriter, decodeRecord, encodeRecord, schemas, types } from "./index.ts";
import { ocfHead, wrapOcf } from "./ocf.ts";

const count = fc.dictionary(fc.string({ maxLength: 5 }), fc.nat(), { maxKeys: 3 });
const event = fc.record({
  timestamp: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  level: fc.integer({ min: 0, max: 24 }),
  service: fc.string({ unit: "binary" }),
  host: fc.string(),
  message: fc.string({ unit: "binary", maxLength: 300 }),
  trace_id: fc.string(),
  span_id: fc.string(),
  attribute_types: fc.string(),
  // The reference reader loses this one key; here no byte passes through an object.
  attributes: fc.dictionary(
    fc.string().filter((key) => key !== "__proto__"),
    fc.string({ unit: "binary" }),
  ),
});
const batch = fc.record({
  tenant: fc.string(),
  source: fc.string(),
  received_at: fc.bigInt({ min: 0n, max: 2n ** 50n }),
  protocol: fc.string(),
  retention_days: fc.nat(),
  dedup_id: fc.string(),
  accepted: fc.nat(),
  raw_topic: fc.string(),
  raw_partition: fc.nat(),
  raw_offset: fc.bigInt({ min: 0n, max: 2n ** 50n }),
  dropped: count,
  redactions: count,
  ruleset: fc.string(),
  events: fc.array(event, { maxLength: 8 }),
});

const readContainer = async (file: Buffer): Promise<Buffer[]> => {
  const decoder = new avro.streams.BlockDecoder({ parseHook: () => types.EventBatch });
  const read: Buffer[] = [];
  decoder.on("data", (value) => read.push(types.EventBatch.toBuffer(value)));
  const ended = new Promise((resolve, reject) => decoder.on("end", resolve).on("error", reject));
  decoder.end(file);
  await ended;
  return read;
};

test("a container has exactly the batches' own bytes, as another reader of Avro sees it", async () => {
  const used = new AvroWriter(16);
  const head = ocfHead(JSON.stringify(schemas.EventBatch));
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 6 }), async (batches) => {
      const values = batches.map((one) => encodeRecord("EventBatch", 7, one as never));
      const read = await readContainer(wrapOcf(head, values, used));
      expect(read).toEqual(values.map((value) => Buffer.from(value.subarray(5))));
      for (const value of values) expect(() => decodeRecord("EventBatch", value)).not.toThrow();
    }),
    { numRuns: 200 },
  );
});

test("the head carries any writer's schema", () => {
  const schema = JSON.stringify({ type: "record", name: "X", doc: randomBytes(5000).toString("hex"), fields: [] });
  expect(ocfHead(schema).includes(schema)).toBe(true);
});
