import { setTimeout as sleep } from "node:timers/promises";
import { makeWebhookSecret } from "@astralog/chassis";
import { createAlertDriver, type Receiver, startReceiver, until, webhookRecord } from "@astralog/testbed";
import type { Fault } from "../fault.ts";
import { millis, percentile } from "../figures.ts";
import { type Hook, startHook, untilTold } from "../heard.ts";

/** The first waits of the schedule; schedule.real.test.ts walks all ten. */
const [secondTryMs, thirdTryMs] = [5_000, 300_000];
/** A try that is not answered is given up after so long, and what a loaded machine may add to a wait. */
const [cutMs, slackMs] = [15_000, 3_000];

/** Beside others that are slow. */
const goodWithinMs = 5_000;

/** Milliseconds from the first try of the first message to each later one. */
const waitsOf = ({ got }: Receiver): number[] => {
  const [begun] = got;
  return begun === undefined
    ? []
    : got
        .filter(({ id }) => id === begun.id)
        .map(({ at }) => at - begun.at)
        .slice(1);
};

/**
 * R24: seven webhooks hear of the same rule, and six of them fail in a way of their own. Each is tried again when the
 * schedule says, under the id that it had; the seventh notices nothing.
 */
export const receiversFail: Fault = {
  id: "R24",
  title: "receivers of webhooks are down, slow, moved, gone, or fail",
  run: async ({ pipeline: { platform }, scaled, note, broken }) => {
    const driver = await createAlertDriver(platform, { only: platform.tenant });
    const secret = makeWebhookSecret();
    const inside = await startReceiver();
    const good = await startHook(secret);
    const failing = await startHook(secret, (response) => response.writeHead(500).end());
    const moved = await startHook(secret, (response) => response.writeHead(301, { location: inside.url }).end());
    const gone = await startHook(secret, (response) => response.writeHead(410).end());
    const slow = await startHook(
      secret,
      (response) => void setTimeout(() => response.writeHead(204).end(), 60_000).unref(),
    );
    // Cuts each message off once.
    const reset: Hook = await startHook(secret, (response) => {
      const { id } = reset.got.at(-1) ?? {};
      if (reset.got.filter((one) => one.id === id).length === 1) response.destroy();
      else response.writeHead(204).end();
    });
    // Nobody listens where this one was, until it is back.
    const away = await startReceiver();
    await away.close();
    const all = { good, failing, moved, gone, slow, reset, away };
    const open: Receiver[] = [inside, good, failing, moved, gone, slow, reset];
    try {
      for (const [id, { url }] of Object.entries(all))
        await driver.say("AlertDestination", `${platform.tenant}/${id}`, webhookRecord(platform, id, url, { secret }));
      await driver.put(platform.tenant, {
        id: "thousandth",
        name: "Each thousandth",
        when: { type: "match", query: "/^step [0-9]*000 /", window: "10s" },
        notify: Object.keys(all),
      });
      const long = scaled(thirdTryMs, 0) >= thirdTryMs;
      const begun = await until("the first message", () => failing.got[0], 60_000);
      // Before the second try in the short form, before the third in the long one.
      await sleep(long ? secondTryMs + slackMs : 1_000);
      const back = await startHook(secret, undefined, Number(new URL(away.url).port));
      open.push(back);
      await sleep(scaled(thirdTryMs + cutMs, secondTryMs));
      const first = await until("the first change", () => driver.of("thousandth")[0]);
      await untilTold(back, () => [first.id], 30_000);
      // The traffic goes on: what is judged from here on is not waited for.
      const due = driver.of("thousandth");
      await untilTold(good, () => due.map(({ id }) => id), 60_000);

      const { ids, again } = good.count();
      const untold = due.filter(({ id }) => !good.messages.has(id));
      const twice = [...good.messages.values()].filter((ids) => ids.size > 1);
      const late = due.flatMap(({ id, judged_at: at }) => {
        const told = good.got.find(({ body }) => body.includes(id));
        return told === undefined ? [] : [Math.max(0, told.at - Number(at))];
      });
      note(
        `beside them ${due.length} changes were told in ${ids} messages, p99 ${millis(percentile(late, 0.99))} after they were judged`,
      );
      if (long && percentile(late, 0.99) > goodWithinMs) broken("the webhook that works was held up by the others");
      if (untold.length > 0) broken(`${untold.length} changes did not reach the webhook that works`);
      if (twice.length > 0 || again > 0) broken(`${twice.length + again} came again where nothing failed`);

      const waits = { failing: waitsOf(failing), moved: waitsOf(moved), slow: waitsOf(slow) };
      note(
        `tries of one message after the first: ${Object.entries(waits)
          .map(([id, at]) => `${id} ${at.map(millis).join(", ") || "none yet"}`)
          .join("; ")}`,
      );
      // Who is slow has a queue in the order of what is due, so there is no latest for him; other times are judged where the machine is this test's alone.
      const fits = (at: number | undefined, wait: number): boolean =>
        at !== undefined && at >= wait - 100 && (!long || at <= wait + slackMs);
      for (const id of ["failing", "moved"] as const) {
        const [second, third] = waits[id];
        if (!fits(second, secondTryMs)) broken(`${id} was tried again after ${second} ms`);
        if (long && !fits(third, secondTryMs + thirdTryMs)) broken(`${id} was tried a third time after ${third} ms`);
      }
      const [slowAgain] = waits.slow;
      if (slowAgain !== undefined && slowAgain < cutMs + secondTryMs - 100)
        broken(`slow was tried again after ${slowAgain} ms`);
      if (long && slow.got.length < 2) broken("what came for a webhook that is slow was not tried");
      if (failing.got.some(({ id, body }) => id === begun.id && body !== begun.body))
        broken("a message was another one when it came again");
      if (inside.got.length > 0) broken("a redirect was followed");
      if (gone.got.length !== 1) broken(`${gone.got.length} requests came to a webhook that had answered 410`);
      if (reset.count().again === 0) broken("what was cut off was not tried again");
      const thrice = Map.groupBy(reset.got, ({ id }) => id)
        .values()
        .filter((tries) => tries.length > 2);
      if (thrice.next().done !== true) broken("what was taken came again");
      if (!back.messages.has(first.id)) broken("what was told while a webhook was down did not reach it");
      note(`410 after ${gone.got.length} request; back from being down, told ${back.got.length} messages`);
      const unsigned = [good, failing, moved, gone, slow, reset, back].flatMap((one) => one.unsigned);
      if (unsigned.length > 0) broken(`${unsigned.length} messages were wrongly signed: ${unsigned[0]}`);
    } finally {
      await driver.close();
      await Promise.all(open.map((one) => one.close()));
    }
  },
};
