// `npm test`, `check`, `bench`, `bench:searches`, `bench:dashboard`, `chaos`, `format`: prepares the checkout, then runs the task on Node 24.
import { bootstrap } from "./bootstrap.mjs";
import { handOver } from "./hand-over.mjs";
import { root } from "./install.mjs";

const tasks = {
  jest: [
    "--experimental-vm-modules",
    "--disable-warning=ExperimentalWarning",
    "--disable-warning=TimeoutNegativeWarning",
    "node_modules/jest/bin/jest.js",
  ],
  check: ["deploy/local/check.ts"],
  bench: ["bench/main.ts"],
  searches: ["bench/run-searches.ts"],
  dashboard: ["bench/run-dashboard.ts"],
  chaos: ["bench/chaos.ts"],
  format: ["node_modules/@biomejs/biome/bin/biome", "check", "--write"],
};

const [name = "", ...args] = process.argv.slice(2);
const task = tasks[name];
if (task === undefined) {
  console.error(`There is no task "${name}": it must be one of ${Object.keys(tasks).join(", ")}.`);
  process.exit(2);
}
const { node, env } = await bootstrap();
process.exitCode = await handOver(node, [...task, ...args], { env, cwd: root });
