/** The fault tests in their short form. The full one is `npm run chaos`. */
import type { Stack } from "@astralog/local";
import { ownStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Arena, createArena } from "./arena.ts";
import { faults } from "./faults/index.ts";

let stack: Stack;
let arena: Arena;
beforeAll(async () => {
  stack = await ownStack();
  arena = createArena(stack);
}, 120_000);
afterAll(async () => {
  await arena?.close();
  await stack?.stop();
}, 60_000);

test.each(faults)(
  "$id $title: nothing acknowledged is lost, nothing is stored twice",
  async (fault) => {
    const outcome = await arena.run(fault, { scale: 0.01 });
    expect(outcome.broken).toEqual([]);
    expect(outcome).toMatchObject({ lost: 0, copies: 0, phantom: 0, altered: 0 });
  },
  240_000,
);
