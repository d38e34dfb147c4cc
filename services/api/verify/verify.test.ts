import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { chunksOf, gapsIn, partitionStates } from "./verify.ts";

const positions = (ends: [number, number][], committed: [number, number][]) => ({
  ends: new Map(ends),
  committed: new Map(committed),
});

const raw = { topic: "events.raw" };

test("what is on its way is lag, what the sink has passed without a row is due", () => {
  const ledger = [{ partition: 0, records: 8, first: 0, last: 7 }];
  // The sink still works: only what lies below the ledger's last row is due.
  expect(partitionStates(raw, positions([[0, 12]], [[0, 10]]), positions([[0, 10]], [[0, 8]]), ledger)).toEqual([
    { topic: "events.raw", partition: 0, end: 12, due: 8, lag: 4, incomplete: false },
  ]);
  // The sink has nothing left: all that the redactor passed on must be there.
  expect(partitionStates(raw, positions([[0, 12]], [[0, 10]]), positions([[0, 10]], [[0, 10]]), ledger)).toEqual([
    { topic: "events.raw", partition: 0, end: 12, due: 10, lag: 2, incomplete: true },
  ]);
  // Nothing at all reached the ledger.
  expect(partitionStates(raw, positions([[0, 3]], [[0, 3]]), positions([[0, 3]], [[0, 3]]), [])).toMatchObject([
    { due: 3, incomplete: true },
  ]);
  expect(partitionStates(raw, positions([[0, 3]], []), positions([[0, 0]], []), [])).toMatchObject([
    { due: 0, lag: 3, incomplete: false },
  ]);
});

test("a native partition waits for the clean partition that it goes to, and for no other", () => {
  const native = { topic: "native.src_a", places: [7, 3] };
  const clean = positions(
    [
      [3, 50],
      [7, 20],
    ],
    [
      [3, 50],
      [7, 19],
    ],
  );
  const states = partitionStates(
    native,
    positions(
      [
        [0, 4],
        [1, 4],
      ],
      [
        [0, 4],
        [1, 4],
      ],
    ),
    clean,
    [],
  );
  expect(states).toMatchObject([
    { topic: "native.src_a", partition: 0, due: 0, lag: 4 },
    { topic: "native.src_a", partition: 1, due: 4, lag: 0, incomplete: true },
  ]);
});

test("gaps are exactly the offsets that are missing", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60)), fc.nat(60), (offsets, due) => {
      const sorted = offsets.toSorted((a, b) => a - b);
      const missing = gapsIn(sorted, due).flatMap(({ from, to }) =>
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
      );
      expect(missing).toEqual(Array.from({ length: due }, (_, i) => i).filter((offset) => !offsets.includes(offset)));
    }),
  );
});

test("chunks cover every minute once and hold no more than they may", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200)), fc.nat(40), (minutes, accepted) => {
      const list = minutes.toSorted((a, b) => a - b).map((minute) => ({ minute: minute * 60, accepted }));
      const chunks = chunksOf(list, 100);
      for (const { minute } of list)
        expect(chunks.filter(({ from, to }) => minute >= from && minute < to)).toHaveLength(1);
      for (const { from, to } of chunks) {
        const held = list
          .filter(({ minute }) => minute >= from && minute < to)
          .reduce((sum, row) => sum + row.accepted, 0);
        expect(held).toBeLessThanOrEqual(Math.max(100, accepted));
      }
    }),
  );
});
