import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatEventId, formatReceipt, parseEventId, parseReceipt } from "./coordinates.ts";

const topic = fc.constantFrom("events.raw", "native.src_1", "t1.events.raw");
const at = { topic, partition: fc.nat(999_999), offset: fc.integer({ min: 0, max: 10 ** 15 - 1 }) };

test("event ids and receipts come back as they went out", () => {
  fc.assert(
    fc.property(fc.record({ ...at, index: fc.nat(999_999_999) }), (id) =>
      expect(parseEventId(formatEventId(id))).toEqual(id),
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.record({ ...at, count: fc.nat(999_999_999) }), { minLength: 1, maxLength: 5 }), (parts) =>
      expect(parseReceipt(formatReceipt(parts))).toEqual(parts),
    ),
  );
});

test("what is no id or receipt is told from one", () => {
  for (const text of ["", "1-2", "1-2-3-4", "a:b:1-2-3", "-1-2-3", "1-2-x", "1-2-3 "])
    expect(parseEventId(text)).toBeUndefined();
  for (const text of ["", "1-2", "1-2x3~", "1-2x-3", "~1-2x3"]) expect(parseReceipt(text)).toBeUndefined();
});
