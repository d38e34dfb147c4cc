/** A TCP proxy that lets requests through whole and cuts some connections when the answer begins. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface CuttingProxy {
  readonly port: number;
  /** Answers to cut, out of the next requests that `matches`; with the chance `share` each. */
  cut(count: number, share: number): void;
  /** Cut so far. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** `matches` sees the beginning of what was sent since the last answer. */
export const startProxy = async (
  to: { host: string; port: number },
  matches: (request: string) => boolean,
): Promise<CuttingProxy> => {
  let left = 0;
  let share = 0;
  let cuts = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(to.port, to.host);
    let request = "";
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("close", () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      socket.on("error", () => undefined);
    }
    client.on("data", (bytes) => {
      if (request.length < 4096) request += bytes.toString("latin1", 0, 4096);
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (left > 0 && matches(request) && Math.random() < share) {
        left--;
        cuts++;
        // The server has done its work and answers; the client sees a reset instead.
        client.resetAndDestroy();
        upstream.destroy();
        return;
      }
      request = "";
      client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    cut: (count, chance) => {
      left = count;
      share = chance;
    },
    get cuts() {
      return cuts;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
};
