/** The fault tests in their short form. The full one is `npm run chaos`. */
import type { Stack } from "@astralog/local";
import { ownStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { faults } from "./faults/index.ts";
import { runFault } from "./run-fault.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await ownStack();
}, 120_000);
afterAll(() => stack?.stop(), 60_000);

test.each(faults)(
  "$id $title: nothing acknowledged is lost, nothing is stored twice",
  async (fault) => {
    const outcome = await runFault(fault, stack, { scale: 0.01 });
    expect(outcome.broken).toEqual([]);
    expect(outcome).toMatchObject({ lost: 0, copies: 0, phantom: 0, altered: 0 });
  },
  240_000,
);
