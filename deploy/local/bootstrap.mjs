// From a bare clone to one that can run: on Node 20 or newer, with nothing installed.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { environment, findMissing, install, locateNode, state } from "./install.mjs";
import { withLock } from "./lock.mjs";
import { findProblems } from "./prerequisites.mjs";

const fail = (message) => {
  console.error(message);
  process.exit(1);
};

/** Gives the Node to run with and its environment. Ends the process, with the way out in words, when that cannot be. */
export const bootstrap = async () => {
  const missing = findMissing();
  const needed = [
    "git",
    "java",
    ...(missing.node || missing.packages ? ["npm"] : []),
    ...(missing.jars || missing.buckets ? ["mvn"] : []),
  ];
  const problems = findProblems(needed, environment(locateNode()).PATH);
  if (problems.length > 0)
    fail(`Astralog cannot start yet:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);

  if (Object.values(missing).includes(true)) {
    console.log("Fetching what this checkout needs, once:");
    mkdirSync(state, { recursive: true });
    try {
      await withLock(join(state, "bootstrap.lock"), () => install(findMissing()));
    } catch (error) {
      fail(
        `${error.message}\n\nNothing is broken: mend the cause (the network, most often) and run the command again.`,
      );
    }
  }
  const where = locateNode();
  return { node: where.node, env: environment(where) };
};
