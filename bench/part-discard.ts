/** How fast a bare Express server takes and discards the same bodies: the ceiling for anything written on it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Body } from "./bodies.ts";
import { createLoader, sendAll } from "./load.ts";
import { type Cost, measure } from "./processes.ts";

export interface DiscardResult {
  readonly eventsPerSecond: number;
  readonly costs: readonly Cost[];
}

export const runDiscard = async (
  bodies: readonly Body[],
  tls: { certFile: string; keyFile: string; ca: string },
  connections: number,
): Promise<DiscardResult> => {
  const script = fileURLToPath(new URL("discard-server.ts", import.meta.url));
  const child = spawn(process.execPath, [script, tls.certFile, tls.keyFile], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = new URL(`https://localhost:${Number(line.toString())}/v1/events`);
    const loader = createLoader({ url, ca: readFileSync(tls.ca, "utf8"), key: "none" }, connections);
    const costs = measure({ express: child.pid ?? 0, "load generator": process.pid });
    const begun = performance.now();
    await sendAll(loader, bodies, connections, () => undefined);
    const seconds = (performance.now() - begun) / 1000;
    loader.close();
    return { eventsPerSecond: bodies.reduce((sum, body) => sum + body.events, 0) / seconds, costs: costs() };
  } finally {
    child.kill();
    await once(child, "exit");
  }
};
