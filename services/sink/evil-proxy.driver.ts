/**
 * For tests: a TCP proxy that loses answers. Of the connections it chooses, one
 *   answer   passes the request on, and resets the client when the answer begins;
 *   request  passes the request on, and resets the client at once;
 *   late     resets the client, and passes the request on a while later: the request that nobody waits for any more.
 */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

export type Evil = "answer" | "request" | "late";

export const evilProxy = async (target: URL, choose: (head: string) => Evil | undefined) => {
  const cuts: Record<Evil, number> = { answer: 0, request: 0, late: 0 };
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on("error", () => undefined).on("close", () => open.delete(socket));
    }
    let evil: Evil | undefined;
    let held: Buffer[] = [];
    const cut = (how: Evil): void => {
      cuts[how]++;
      client.resetAndDestroy();
    };
    client.on("data", (data) => {
      const head = data.subarray(0, 4).toString() === "POST" ? data.toString("latin1", 0, 8_000) : undefined;
      if (head !== undefined) evil = choose(head);
      const last = data.subarray(-5).toString() === "0\r\n\r\n";
      if (evil !== "late") upstream.write(data);
      else held.push(data);
      if (!last) return;
      if (evil === "request") cut("request");
      if (evil === "late") {
        const request = Buffer.concat(held);
        held = [];
        cut("late");
        setTimeout(() => upstream.write(request), 100 + Math.random() * 900);
      }
    });
    upstream.on("data", (data) => {
      if (evil === "answer") cut("answer");
      else if (!client.destroyed) client.write(data);
    });
    // The server's side stays open after a cut: a request that is under way goes on.
    client.on("end", () => evil === undefined && upstream.end());
    upstream.on("end", () => client.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
