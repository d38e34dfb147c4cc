/**
 * Liveness and readiness. A service is ready when every named condition holds; /readyz says which does not, in words.
 */

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "./metrics.ts";

/** true, or why not. */
export type Condition = () => true | string;

export interface Health {
  /** Names a condition of readiness; asked at each probe, so it must be cheap. */
  require(name: string, condition: Condition): void;
  /** Empty when ready; else `name: reason` of each condition that does not hold. */
  notReady(): string[];
}

export const createHealth = (): Health => {
  const conditions = new Map<string, Condition>();
  return {
    require: (name, condition) => void conditions.set(name, condition),
    notReady: () =>
      [...conditions].flatMap(([name, condition]) => {
        const holds = condition();
        return holds === true ? [] : [`${name}: ${holds}`];
      }),
  };
};

/** Serves /livez, /readyz and /metrics. Returns the port and how to close it. */
export const serveOps = async (
  health: Health,
  metrics: Metrics,
  { host, port, portFile }: { host: string; port: number; portFile: string },
): Promise<{ port: number; close(): Promise<void> }> => {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = "text/plain; charset=utf-8") => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    switch (request.url) {
      case "/livez":
        return answer(200, "ok\n");
      case "/readyz": {
        const missing = health.notReady();
        return answer(missing.length === 0 ? 200 : 503, missing.length === 0 ? "ready\n" : `${missing.join("\n")}\n`);
      }
      case "/metrics":
        metrics.registry.metrics().then(
          (text) => answer(200, text, metrics.registry.contentType),
          () => answer(500, "the metrics could not be collected\n"),
        );
        return;
      default:
        return answer(404, "here are /livez, /readyz and /metrics\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const chosen = (server.address() as AddressInfo).port;
  if (portFile !== "") writeFileSync(portFile, `${chosen}\n`);
  return {
    port: chosen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
