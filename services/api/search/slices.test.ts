import { setTimeout as sleep } from "node:timers/promises";
import { parseQuery } from "@astralog/schemas/query/index";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { createAdmission } from "./admission.ts";
import { slicesOf } from "./slices.ts";

const now = 1_760_000_000_000;

test("slices are the window, without gap or overlap, newest first", () => {
  const end = fc.option(fc.bigInt({ min: -(10n ** 18n), max: 2n * 10n ** 18n }), { nil: undefined });
  fc.assert(
    fc.property(
      end,
      end,
      fc.constantFrom("", "level:error", "word", "trace_id:ab", "a OR level:info"),
      (from, to, q) => {
        const slices = slicesOf({ from, to }, parseQuery(q, { now }), now);
        expect(slices[0]?.to).toBe(to);
        expect(slices.at(-1)?.from).toBe(from);
        for (const [i, slice] of slices.entries()) {
          if (i > 0) expect(slice.to).toBe(slices[i - 1]?.from);
        }
      },
    ),
  );
  expect(slicesOf({}, parseQuery("level:error", { now }), now)).toHaveLength(5);
  expect(slicesOf({}, parseQuery("level:error word", { now }), now)).toHaveLength(1);
});

test("one tenant's many queries delay himself: free places go round who waits", async () => {
  const admission = createAdmission({ perTenant: 2, total: 2, patience: 5_000 });
  const begun: string[] = [];
  const run = async (tenant: string, name: string): Promise<void> => {
    const leave = await admission.enter(tenant);
    begun.push(name);
    await sleep(5);
    leave();
    leave();
  };
  const greedy = Array.from({ length: 8 }, (_, i) => run("a", `a${i}`));
  await Promise.all([...greedy, run("b", "b0"), run("b", "b1")]);
  expect(begun.toSorted()).toHaveLength(10);
  expect(begun.indexOf("b0")).toBeLessThan(5);
  expect(begun.indexOf("b1")).toBeLessThan(7);
});

test("who waits too long is refused by name, and who hangs up leaves the queue", async () => {
  const admission = createAdmission({ perTenant: 1, total: 4, patience: 20 });
  const leave = await admission.enter("a");
  await expect(admission.enter("a")).rejects.toMatchObject({
    code: "busy",
    message: expect.stringMatching(/1 queries running.*limit/),
  });
  const gone = new AbortController();
  const waits = admission.enter("a", gone.signal);
  gone.abort();
  await expect(waits).rejects.toMatchObject({ code: "caller_gone" });
  leave();
  (await admission.enter("a"))();
});
