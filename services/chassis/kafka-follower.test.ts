import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createNews } from "./kafka-follower.ts";

test("however often a consumer is cut off and reads again, each record is news once, in order", () => {
  const again = fc.array(fc.record({ to: fc.nat(40), back: fc.nat(40) }), { maxLength: 8 });
  fc.assert(
    fc.property(again, fc.array(fc.nat(5), { minLength: 41, maxLength: 41 }), (cuts, skews) => {
      const news = createNews();
      const heard: number[] = [];
      let at = 0;
      // Producers' clocks differ: the timestamps need not rise.
      const read = (to: number) => {
        for (; at <= to; at++) {
          const record = { offset: at, timestamp: 1_000 + at * 2 - (skews[at] ?? 0) };
          if (!news.isNew(3, record)) continue;
          heard.push(at);
          news.saw(3, record);
        }
      };
      for (const { to, back } of [...cuts, { to: 40, back: 0 }]) {
        read(to);
        at = Math.max(0, at - back);
      }
      read(40);
      expect(heard).toEqual(Array.from({ length: 41 }, (_, i) => i));
      expect([news.reached(3, 40), news.reached(3, 41), news.reached(4, 0)]).toEqual([true, false, false]);
    }),
  );
});

test("a topic that was made anew is heard from its beginning", () => {
  const news = createNews();
  news.saw(0, { offset: 90, timestamp: 5_000 });
  expect(news.isNew(0, { offset: 0, timestamp: 6_000 })).toBe(true);
  news.saw(0, { offset: 0, timestamp: 6_000 });
  expect([news.isNew(0, { offset: 1, timestamp: 6_001 }), news.isNew(0, { offset: 0, timestamp: 6_000 })]).toEqual([
    true,
    false,
  ]);
});
