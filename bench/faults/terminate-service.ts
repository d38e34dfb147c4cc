import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../fault.ts";
import { pipelineServices } from "../pipeline.ts";

const exitWithinMs = 30_000;

/** R21: SIGTERM under load. What was acknowledged is stored, what is under way ends, the exit is clean and in time. */
export const terminateService: Fault = {
  id: "R21",
  title: "SIGTERM to each service under load",
  run: async ({ pipeline, restart, scaled, broken, note }) => {
    for (let round = 0; round < scaled(5, 1); round++) {
      for (const name of pipelineServices) {
        await sleep(500 + Math.random() * 1_000);
        const { exited } = pipeline.service(name);
        const begun = performance.now();
        void exited.then(({ code, signal }) => {
          const ms = performance.now() - begun;
          note(`${name} ended in ${(ms / 1000).toFixed(1)} s`);
          if (code !== 0) broken(`the ${name} ended with ${signal ?? code} after SIGTERM`);
          if (ms > exitWithinMs) broken(`the ${name} took ${Math.round(ms / 1000)} s to end`);
        });
        await restart(name, "SIGTERM");
      }
    }
  },
};
