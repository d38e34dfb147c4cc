/** The archive's judgement against a model: what a partition says first counts, whatever is repeated behind it. */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decide, remember, taken } from "./decide.ts";

const window = 1_000;
const nothing = { lanes: new Map<string, number>(), ids: new Map<string, number>() };

const batch = (cleanOffset: number, raw: number, id: string, at: number) => ({
  ...{ cleanOffset, raw_topic: "events.raw", raw_partition: 1, raw_offset: raw, dedup_id: id, received_at: at },
});

test("a rewind and a retry within the window are left out, a retry after it is not", () => {
  const batches = [
    batch(0, 0, "a", 0),
    batch(1, 1, "a", 500),
    batch(2, 0, "a", 0),
    batch(3, 2, "a", 1_600),
    batch(4, 3, "", 0),
    batch(5, 4, "", 0),
  ];
  const { rewinds, duplicates } = decide(batches, nothing, window);
  expect([rewinds, duplicates]).toEqual([[2], [1]]);
  expect(taken(batches, { rewinds, duplicates }).map((one) => one.cleanOffset)).toEqual([0, 3, 4, 5]);
});

test("where a partition is cut into pieces changes nothing, and what was taken is taken once", () => {
  const records = fc.array(fc.record({ back: fc.nat(3), id: fc.constantFrom("", "a", "b", "c"), at: fc.nat(50) }), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(records, fc.array(fc.nat(60)), (given, cuts) => {
      // As the redactor writes: raw offsets go on, and now and then back by some, with the same content.
      const known: ReturnType<typeof batch>[] = [];
      let next = 0;
      let now = 0;
      const batches = given.map(({ back, id, at }, offset) => {
        const raw = Math.max(0, next - back);
        next = raw + 1;
        now += at;
        const one = known[raw] === undefined ? batch(offset, raw, id, now) : { ...known[raw], cleanOffset: offset };
        known[raw] ??= one;
        return one;
      });
      const whole = taken(batches, decide(batches, nothing, window)).map((one) => one.cleanOffset);
      let memory: Parameters<typeof decide>[1] = nothing;
      const pieces: number[] = [];
      const ends = [...cuts.filter((cut) => cut < batches.length).sort((a, b) => a - b), batches.length];
      let from = 0;
      for (const end of ends) {
        const piece = batches.slice(from, end);
        from = end;
        const take = taken(piece, decide(piece, memory, window));
        pieces.push(...take.map((one) => one.cleanOffset));
        const lanes = Object.fromEntries(memory.lanes);
        for (const one of piece) lanes["events.raw/1"] = Math.max(lanes["events.raw/1"] ?? -1, one.raw_offset);
        const ids = take.filter((one) => one.dedup_id !== "").map((one) => [one.dedup_id, one.received_at] as const);
        memory = remember(memory, { lanes, ids }, window);
      }
      expect(pieces).toEqual(whole);
      expect(new Set(taken(batches, decide(batches, nothing, window)).map((one) => one.raw_offset)).size).toBe(
        whole.length,
      );
    }),
  );
});
