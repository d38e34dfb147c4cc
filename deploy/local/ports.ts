/** Ports on loopback: the wished one when it is free, else another. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

const tryListen = async (port: number, host: string): Promise<number | undefined> => {
  const server = createServer();
  const failed = once(server, "error").then(() => undefined);
  const listening = once(server, "listening").then(() => (server.address() as AddressInfo).port);
  server.listen({ port, host, exclusive: true });
  const chosen = await Promise.race([listening, failed]);
  if (chosen !== undefined) {
    server.close();
    await once(server, "close");
  }
  return chosen;
};

// Below the ports the kernel hands to outgoing connections, so none of those can take one before its server listens.
const anyPort = (): number => randomInt(20_000, 32_000);

/**
 * Each name gets a port that was free a moment ago, all different. Another program may take one before its server
 * listens; the server then says so and ends, and a new start chooses anew.
 */
export const choosePorts = async <N extends string>(
  wishes: Readonly<Record<N, number>>,
  host = "127.0.0.1",
): Promise<Record<N, number>> => {
  const chosen = new Map<string, number>();
  for (const [name, wish] of Object.entries<number>(wishes)) {
    let port = await tryListen(wish === 0 ? anyPort() : wish, host);
    while (port === undefined || [...chosen.values()].includes(port)) port = await tryListen(anyPort(), host);
    chosen.set(name, port);
  }
  return Object.fromEntries(chosen) as Record<N, number>;
};
