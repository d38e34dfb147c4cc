/** The one switch: where the real servers of the tests run. */
import { existsSync } from "node:fs";

export type Engine = "local" | "containers";

/**
 * ASTRALOG_TESTBED=local|containers|auto. `auto`, the default, takes containers when a Docker engine answers and local
 * processes when none does. Throws on any other value.
 */
export const chooseEngine = async (wish = process.env.ASTRALOG_TESTBED ?? "auto"): Promise<Engine> => {
  switch (wish) {
    case "local":
    case "containers":
      return wish;
    case "auto":
      return (await dockerAnswers()) ? "containers" : "local";
    default:
      throw new Error(`ASTRALOG_TESTBED is "${wish}"; it must be local, containers or auto.`);
  }
};

const dockerAnswers = async (): Promise<boolean> => {
  // Without either there is surely no engine, and looking further takes a second.
  if (process.env.DOCKER_HOST === undefined && !existsSync("/var/run/docker.sock")) return false;
  const { getContainerRuntimeClient } = await import("testcontainers");
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
};
