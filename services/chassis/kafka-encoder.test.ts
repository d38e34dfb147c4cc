import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Batch, batchInPieces, type Encoder, kafkaEncoder, keepPieces, type MakeBatch } from "./kafka-encoder.ts";

type Writer = Encoder & Record<string, (value: unknown) => unknown>;
type EncoderClass = new () => Writer;

const original = kafkaEncoder() as unknown as EncoderClass;
// A class of its own, so that the other stays as kafkajs made it.
const changed = class extends original {} as EncoderClass;
keepPieces(changed.prototype as Encoder);

type Step =
  | ["writeInt32" | "writeString" | "writeBytes" | "writeBuffer" | "writeVarIntBytes", unknown]
  | ["nested", Step[]]
  | ["array", Step[][]]
  | ["flatten"];

const bytes = fc.oneof(fc.nat(40), fc.constantFrom(4_095, 4_096, 5_000, 20_000)).map((n) => Buffer.alloc(n, n % 251));
const { steps } = fc.letrec<{ steps: Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie("step"), { maxLength: 6 }),
  step: fc.oneof(
    { depthSize: "small" },
    fc.tuple(fc.constant("writeInt32" as const), fc.integer()),
    fc.tuple(fc.constant("writeString" as const), fc.string({ maxLength: 600 })),
    fc.tuple(fc.constantFrom("writeBytes" as const, "writeBuffer" as const, "writeVarIntBytes" as const), bytes),
    fc.tuple(fc.constant("writeBytes" as const), fc.constantFrom(null, "text")),
    fc.tuple(fc.constant("nested" as const), tie("steps")),
    fc.tuple(fc.constant("array" as const), fc.array(tie("steps"), { maxLength: 3 })),
    fc.tuple(fc.constant("flatten" as const)),
  ),
}));

const run = (make: EncoderClass, list: readonly Step[]): Writer => {
  const encoder = new make();
  for (const step of list) {
    if (step[0] === "nested") encoder.writeEncoder(run(make, step[1]));
    else if (step[0] === "array") encoder.writeEncoderArray(step[1].map((inner) => run(make, inner)));
    else if (step[0] === "flatten") void encoder.buffer;
    else (encoder as Record<string, (value: unknown) => unknown>)[step[0]]?.(step[1]);
  }
  return encoder;
};

test("writes the bytes that kafkajs writes by itself", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const [expected, given] = [run(original, list), run(changed, list)];
      expect(given.size()).toBe(expected.size());
      expect(given.buffer.equals(expected.buffer)).toBe(true);
      expect(given.buffer.equals(expected.buffer)).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

test("a large piece is not copied until bytes are asked for", () => {
  const piece = Buffer.alloc(1_000_000);
  const encoder = new changed();
  encoder.writeInt32(1);
  encoder.writeBytes(piece);
  const outer = new changed();
  outer.writeEncoder(encoder);
  expect(outer.pieces?.includes(piece)).toBe(true);
  expect(outer.buf.length).toBeLessThan(10_000);
});

const { RecordBatch } = createRequire(import.meta.url)("kafkajs/src/protocol/recordBatch/v0/index.js") as {
  RecordBatch: MakeBatch;
};

test("a record batch has the bytes and the checksum that kafkajs gives it", async () => {
  const refuse: MakeBatch = () => Promise.reject(new Error("not for this one"));
  const make = batchInPieces(changed, refuse);
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 4 }), fc.nat(1_000_000), async (lists, time) => {
      const batch = (records: readonly Encoder[]): Batch => ({
        firstTimestamp: time,
        maxTimestamp: time + 5,
        lastOffsetDelta: lists.length - 1,
        records,
      });
      const expected = await RecordBatch(batch(lists.map((list) => run(original, list))));
      const given = await make(batch(lists.map((list) => run(changed, list))));
      expect(given.buffer.equals(expected.buffer)).toBe(true);
    }),
  );
  await expect(make({ compression: 3, records: [] })).rejects.toThrow("not for this one");
});
