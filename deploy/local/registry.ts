/** Apicurio's schema registry, speaking the Confluent interface on loopback; its schemas are in one H2 file. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Child, startChild, untilReady } from "./child.ts";
import { archiveFlag } from "./java-archive.ts";
import { tools } from "./paths.ts";

export interface Registry extends Child {
  readonly url: string;
}

export const startRegistry = async (options: {
  dir: string;
  log: string;
  port: number;
  /** Where to make a class archive, instead of using the one there is. */
  archive?: string;
}): Promise<Registry> => {
  const { dir, log, port, archive } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const settings = {
    "quarkus.http.host": "127.0.0.1",
    "quarkus.http.port": port,
    "apicurio.storage.kind": "sql",
    "apicurio.storage.sql.kind": "h2",
    // WRITE_DELAY=0: a schema whose id was handed out is on disk, also after kill -9.
    "apicurio.datasource.url": `jdbc:h2:file:${join(dir, "registry")};WRITE_DELAY=0`,
    "quarkus.log.console.color": false,
    "quarkus.banner.enabled": false,
  };
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`;
  const child = await startChild({
    name: "registry",
    command: "java",
    args: [
      archiveFlag("registry", archive),
      "-Xmx256m",
      // It starts in two thirds of the time without the optimising compiler, and never works hard.
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      ...Object.entries(settings).map(([key, value]) => `-D${key}=${String(value)}`),
      "-jar",
      join(tools, "registry", "apicurio-registry-app-3.0.9-runner.jar"),
    ],
    log,
    cwd: dir,
  });
  const answers = () =>
    fetch(`${url}/subjects`).then(
      (response) => response.ok,
      () => false,
    );
  await untilReady(child, answers, 90_000);
  return { ...child, url };
};
