import { setTimeout as sleep } from "node:timers/promises";
import { createAlertDriver, until } from "@astralog/testbed";
import type { Fault } from "../fault.ts";

const windowMs = 10_000;
const leadMs = 500;

/** R8 for rules: while nothing comes through, nothing is absent and nothing is well; windows are marked, and judged later. */
export const redactorStopped: Fault = {
  id: "R8-alerts",
  title: "the redactor is stopped for five minutes, and rules wait",
  run: async ({ pipeline, scaled, traffic, note, broken, recovered }) => {
    const { platform } = pipeline;
    const driver = await createAlertDriver(platform, { only: platform.tenant });
    try {
      const common = { window: "10s", every: "10s" };
      await driver.put(platform.tenant, {
        id: "silent",
        name: "Silent",
        when: { type: "absence", query: "service:chaos", ...common },
        grace: "2s",
      });
      await driver.put(platform.tenant, {
        id: "busy",
        name: "Busy",
        when: { type: "threshold", query: "service:chaos", above: 100, ...common },
        grace: "2s",
      });
      await until("a rule that fires", () => driver.of("busy")[0], 60_000);
      // So that, however short it is stopped, a whole window passes meanwhile in which nothing comes through.
      await sleep(windowMs - ((Date.now() + leadMs) % windowMs));
      await pipeline.service("redactor").kill("SIGTERM");
      const stopped = Date.now();
      await sleep(scaled(300_000, windowMs + leadMs + 3_500));
      const marks = driver.heard.filter(({ kind, judged_at: at }) => kind === "mark" && Number(at) >= stopped);
      await pipeline.start("redactor");
      const back = Date.now();
      // A whole window after it came back is judged as ever.
      const due = (Math.floor(back / windowMs) + 1) * windowMs;
      await until(
        "the windows meanwhile",
        () => {
          const latest = driver.heard.at(-1);
          return Date.now() > due + 2_000 && latest !== undefined ? true : undefined;
        },
        60_000,
      );
      await sleep(scaled(20_000, 1_000));
      const before = Date.now();
      const early = driver.of("silent").concat(driver.of("busy").slice(1));
      await traffic.stop(60_000);
      note(
        `${marks.length} windows marked: ${[...new Set(marks.map(({ rule, completeness }) => `${rule} ${Math.floor(completeness * 100)} %`))].join(", ")}`,
      );
      if (new Set(marks.map(({ rule }) => rule)).size < 2) broken("not every rule's window was marked incomplete");
      if (marks.some(({ completeness }) => completeness >= 1)) broken("an incomplete window was called complete");
      for (const { rule, from_state: from, to_state: to, reason } of early)
        broken(`${rule} went ${from} > ${to} while events were being received: ${reason}`);
      // And once there is silence indeed, it is told: so the windows were judged in the end.
      const silent = await until("the silence", () => driver.of("silent")[0], 60_000).catch(() => undefined);
      if (silent === undefined) broken("the silence after the traffic was not told");
      else recovered(Math.max(0, Number(silent.judged_at) - Number(silent.window_to)));
      if (silent !== undefined && Number(silent.window_to) < before) broken("a silence was told of a time with events");
    } finally {
      await driver.close();
    }
  },
};
