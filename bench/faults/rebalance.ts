import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@astralog/testbed";
import type { Fault } from "../fault.ts";

/** R19: another redactor or sink comes or goes each five seconds, half of them by kill -9. */
export const rebalance: Fault = {
  id: "R19",
  title: "consumers come and go each five seconds",
  run: async ({ pipeline, scaled, note }) => {
    const rounds = Math.round(scaled(300, 20) / 5);
    const extras: RunningService[] = [];
    let changes = 0;
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      const name = round % 2 === 0 ? "redactor" : "sink";
      const leaving = extras.find((extra) => extra.name === name);
      if (leaving !== undefined && round % 4 >= 2) {
        extras.splice(extras.indexOf(leaving), 1);
        await leaving.kill(round % 8 >= 4 ? "SIGTERM" : "SIGKILL");
      } else {
        extras.push(await pipeline.platform.start(name, { LOG_LEVEL: "warn" }));
      }
      changes++;
      await sleep(Math.max(0, 5_000 - (performance.now() - begun)));
    }
    for (const extra of extras) await extra.kill("SIGTERM");
    note(`${changes} changes of membership`);
  },
};
