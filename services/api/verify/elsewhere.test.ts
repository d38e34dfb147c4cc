import { expect, test } from "@jest/globals";
import { compareMinutes } from "./elsewhere.ts";
import type { MinuteSum } from "./verify.ts";

const row = (minute: string, more: Partial<MinuteSum>): MinuteSum => ({
  ...{ source: "s", minute, accepted: 10, stored: 10, dropped: {} },
  ...more,
});

test("what one ledger calls elsewhere is stored as the other says, and what that one lacks is on its way", () => {
  const ours = [
    row("1", {}),
    row("2", { stored: 0, dropped: { elsewhere: 10 } }),
    row("3", { accepted: 20, stored: 10, dropped: { elsewhere: 9, dead_letter: 1 } }),
    row("4", { stored: 0, dropped: { elsewhere: 10 } }),
  ];
  const theirs = [row("1", {}), row("2", { stored: 8, dropped: { duplicate: 2 } }), row("3", { stored: 9 })];
  expect(compareMinutes(ours, theirs)).toEqual({
    ...{ accepted: 20, stored: 17, waiting: 20, dropped: { duplicate: 2 } },
  });
  expect(compareMinutes([row("1", {})], [])).toEqual({ accepted: 0, stored: 0, waiting: 0, dropped: {} });
});
