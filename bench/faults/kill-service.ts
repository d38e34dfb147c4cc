import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../fault.ts";
import { pipelineServices } from "../pipeline.ts";

/** R1: kill -9 at random times, twenty of each; back within ten seconds. The alerter has one of its own. */
const names = pipelineServices.filter((name) => name !== "alerter");
export const killService: readonly Fault[] = names.map((name) => ({
  id: `R1-${name}`,
  title: `kill -9 the ${name}, again and again`,
  run: async ({ restart, scaled }) => {
    for (let i = 0; i < scaled(20, 2); i++) {
      await sleep(500 + Math.random() * 2_500);
      await restart(name, "SIGKILL");
    }
    await sleep(1_000);
  },
}));
