import { setTimeout as sleep } from "node:timers/promises";
import { makeWebhookSecret } from "@astralog/chassis";
import { createAlertDriver, until, webhookRecord } from "@astralog/testbed";
import type { Fault } from "../fault.ts";
import { startHook, untilTold } from "../heard.ts";

/** Of the traffic's events these are told one by one. */
const everyNth = 100;
const windowMs = 10_000;
const mostOnTheirWay = 64 * 50;

/**
 * R1 for rules: whatever is killed when, each event of a match is told once, and each of its windows ends with the number of
 * events that there were in it: nothing was missed, and nothing counted twice. A webhook hears of each change in one message:
 * one that comes again has the id that it had.
 */
export const killAlerter: Fault = {
  id: "R1-alerter",
  title: "kill -9 the alerter, again and again",
  run: async ({ restart, scaled, pipeline, ledger, traffic, note, broken }) => {
    const { platform } = pipeline;
    const driver = await createAlertDriver(platform, { only: platform.tenant });
    const secret = makeWebhookSecret();
    const hook = await startHook(secret);
    try {
      await driver.say(
        "AlertDestination",
        `${platform.tenant}/hook`,
        webhookRecord(platform, "hook", hook.url, { secret }),
      );
      await driver.put(platform.tenant, {
        id: "thousandth",
        name: "Each thousandth",
        when: { type: "match", query: "/^step [0-9]*000 /", window: "10s" },
        notify: ["hook"],
      });
      await driver.put(platform.tenant, {
        id: "hundredth",
        name: "Each hundredth",
        when: { type: "match", query: "/^step [0-9]*00 /", window: "10s", limit: 1_000 },
      });
      await driver.put(platform.tenant, {
        id: "traffic",
        name: "Traffic",
        when: { type: "threshold", query: "service:chaos", above: 100, window: "10s", every: "10s" },
        notify: ["hook"],
      });
      const before = ledger.ackedCount;
      for (let i = 0; i < scaled(20, 3); i++) {
        await sleep(500 + Math.random() * 2_500);
        await restart("alerter", "SIGKILL");
      }
      await sleep(1_000);
      await traffic.stop(60_000);
      const sent = Math.floor(ledger.ackedCount / everyNth) * everyNth;
      const told = () => driver.of("hundredth").filter(({ to_state: to }) => to === "firing");
      const seqOf = (line: string | undefined): number => Number(/step (\d+) /.exec(line ?? "")?.[1] ?? Number.NaN);
      // The last window ends after the last event.
      const ended = Date.now() + windowMs + 2_000;
      const passed = await until(
        "the end of the last window",
        () =>
          driver.heard.some(({ kind, window_to: to }) => kind === "change" && Number(to) >= ended - windowMs) &&
          Date.now() > ended
            ? true
            : undefined,
        60_000,
      ).catch(() => false);
      if (!passed) broken("the last window was not judged within a minute");
      await until("the end of the traffic", () => driver.of("traffic")[1], 60_000).catch(() => undefined);
      const seqs = told().map(({ lines }) => seqOf(lines[0]));
      const known = new Set(seqs);
      const missed: number[] = [];
      // Those before the rule was in force need not be told, and those that were on their way then.
      for (let seq = Math.ceil((before + mostOnTheirWay) / everyNth) * everyNth; seq < sent; seq += everyNth)
        if (!known.has(seq)) missed.push(seq);
      const repeated = seqs.length - known.size;
      const counted = driver
        .of("hundredth")
        .filter(({ to_state: to }) => to === "resolved")
        .reduce((sum, { value }) => sum + (value ?? 0), 0);
      note(`${seqs.length} events told, ${missed.length} missed, ${repeated} repeated; windows count ${counted}`);
      if (missed.length > 0) broken(`${missed.length} events were not told, such as ${missed.slice(0, 5).join(", ")}`);
      if (repeated > 0) broken(`${repeated} events were told more than once`);
      if (counted !== seqs.length) broken(`the windows count ${counted} events, and ${seqs.length} were told`);
      const changes = driver.of("traffic").map(({ from_state: from, to_state: to }) => `${from} > ${to}`);
      if (changes.join() !== "ok > firing,firing > resolved") broken(`the threshold went ${changes.join(", ")}`);
      const due = () => [...driver.of("thousandth"), ...driver.of("traffic")].map(({ id }) => id);
      await untilTold(hook, due, 60_000);
      const changesDue = due();
      const untold = changesDue.filter((id) => !hook.messages.has(id));
      const twice = changesDue.filter((id) => (hook.messages.get(id)?.size ?? 0) > 1);
      const { ids, again } = hook.count();
      note(
        `${changesDue.length} changes to be told, in ${ids} messages, ${again} of them came again under their id; ${untold.length} missed, ${twice.length} repeated`,
      );
      if (untold.length > 0) broken(`${untold.length} changes reached no webhook`);
      if (hook.unsigned.length > 0) broken(`${hook.unsigned.length} messages were wrongly signed: ${hook.unsigned[0]}`);
      if (twice.length > 0) broken(`${twice.length} changes were told under two ids`);
    } finally {
      await driver.close();
      await hook.close();
    }
  },
};
