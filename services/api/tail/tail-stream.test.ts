import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createTailRing, type RingLine } from "./tail-ring.ts";
import { createTailStream } from "./tail-stream.ts";

/** A reader that takes a write only while he is told to. */
const reader = () => {
  let drained = () => {};
  const taken: string[] = [];
  const state = { open: true };
  return {
    state,
    sink: {
      write: (text: string) => {
        taken.push(...text.split("\n\n").filter(Boolean));
        return state.open;
      },
      onDrain: (take: () => void) => {
        drained = take;
      },
      end: () => void taken.push("end"),
    },
    drain: () => {
      state.open = true;
      drained();
    },
    taken: () => taken.map((block) => block.replaceAll("\n", " ")),
  };
};

const line = (n: number) => ({ id: `i-${n}`, json: `${n}` });

test("a slow reader gets what waited, then how many he missed, then what comes", () => {
  const one = reader();
  const stream = createTailStream(one.sink, { waiting: 2, perSecond: 100 });
  one.state.open = false;
  stream.lines([line(1)]);
  stream.lines([line(2), line(3), line(4), line(5)]);
  one.drain();
  stream.lines([line(6)]);
  expect(one.taken()).toEqual([
    "id: i-1 data: 1",
    "id: i-2 data: 2",
    "id: i-3 data: 3",
    'event: skipped data: {"count":2,"reason":"slow"}',
    "id: i-6 data: 6",
  ]);
});

test("more than a second may have is counted, and said when the next one begins", () => {
  const one = reader();
  let now = 0;
  const stream = createTailStream(one.sink, { waiting: 10, perSecond: 2 }, () => now);
  stream.lines([line(1), line(2), line(3), line(4)]);
  now = 1_000;
  stream.lines([line(5)]);
  expect(one.taken()).toEqual([
    "id: i-1 data: 1",
    "id: i-2 data: 2",
    'event: skipped data: {"count":2,"reason":"rate"}',
    "id: i-5 data: 5",
  ]);
});

test("however slow the reader: each line is shown or counted, in order", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(6), fc.constant("drain" as const), fc.constant("stuck" as const))),
      (steps) => {
        const one = reader();
        let now = 0;
        const stream = createTailStream(one.sink, { waiting: 3, perSecond: 7 }, () => now);
        let sent = 0;
        for (const step of steps) {
          now += 150;
          if (step === "drain") one.drain();
          else if (step === "stuck") one.state.open = false;
          else stream.lines(Array.from({ length: step }, () => line(sent++)));
        }
        one.drain();
        now += 2_000;
        stream.lines([line(sent++)]);
        one.drain();
        let next = 0;
        for (const block of one.taken()) {
          const skipped = /"count":(\d+)/.exec(block);
          if (skipped !== null) next += Number(skipped[1]);
          else expect(block).toBe(`id: i-${next} data: ${next++}`);
        }
        expect(next).toBe(sent);
      },
    ),
  );
});

test("a ring gives all that came since, or says that it cannot", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(70), fc.integer({ min: 1, max: 20 }), (count, since, most) => {
      const ring = createTailRing(most, 1_000_000);
      for (let seq = 1; seq <= count; seq++) ring.add({ seq, bytes: 10 } as RingLine);
      const got = ring.since(since)?.map(({ seq }) => seq);
      const whole = Array.from({ length: Math.max(0, count - since) }, (_, i) => since + 1 + i);
      if (since > count || whole.length > most) expect(got).toBeUndefined();
      else expect(got).toEqual(whole);
    }),
  );
});

test("a ring is bounded by bytes too, and keeps the newest whatever it weighs", () => {
  const ring = createTailRing(100, 25);
  for (let seq = 1; seq <= 5; seq++) ring.add({ seq, bytes: 10 } as RingLine);
  expect(ring.since(2)).toBeUndefined();
  expect(ring.since(3)?.map(({ seq }) => seq)).toEqual([4, 5]);
  ring.add({ seq: 6, bytes: 99 } as RingLine);
  expect(ring.since(5)?.map(({ seq }) => seq)).toEqual([6]);
});
