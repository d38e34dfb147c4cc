/** For tests on real servers: requests as clients send them, and as they should not. */
import { readFileSync } from "node:fs";
import type http from "node:http";
import https from "node:https";
import { connect } from "node:net";
import type { Platform, RunningService } from "@astralog/testbed";

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Client {
  /** POSTs to the receiver over HTTPS with the platform's ingest key. Rejects when there is no answer. */
  post(body: string | Buffer, headers?: http.OutgoingHttpHeaders, path?: string): Promise<Reply>;
  close(): void;
}

export const client = (platform: Platform, receiver: RunningService): Client => {
  const agent = new https.Agent({ keepAlive: true, ca: readFileSync(platform.stack.tls.ca) });
  return {
    post: (body, headers = {}, path = "/v1/events") =>
      new Promise((resolve, reject) => {
        const request = https.request(
          `${receiver.httpsUrl}${path}`,
          { method: "POST", agent, headers: { authorization: `Bearer ${platform.ingestKey}`, ...headers } },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (chunk: string) => (text += chunk));
            response.on("error", reject);
            response.on("end", () =>
              resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, json: parse(text) }),
            );
          },
        );
        request.on("error", reject);
        request.end(body);
      }),
    close: () => agent.destroy(),
  };
};

const parse = (text: string): Record<string, unknown> => {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
};

/**
 * Sends the head of a request in plain HTTP and goes on writing a body that never ends until an answer comes. Resolves
 * with the answer, how long it took, and how many bytes of body were written by then.
 */
export const endlessPost = (
  receiver: RunningService,
  headers: readonly string[],
): Promise<{ answer: string; milliseconds: number; written: number }> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(receiver.url);
    const socket = connect(Number(port), hostname);
    const start = performance.now();
    const chunk = `4000\r\n${"x".repeat(0x4000)}\r\n`;
    let answer = "";
    let written = 0;
    // A chunk every few milliseconds: a client that writes as fast as it can may be cut off before it has read.
    const write = (): void => {
      if (answer !== "" || socket.destroyed || written >= 50_000_000) return;
      written += 0x4000;
      socket.write(chunk, () => setTimeout(write, 2));
    };
    socket.on("connect", () => {
      socket.write(
        `POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n${headers.map((h) => `${h}\r\n`).join("")}\r\n`,
      );
      write();
    });
    socket.on("data", (bytes) => (answer += bytes.toString("latin1")));
    socket.on("error", (error) => answer === "" && reject(error));
    socket.on("close", () => resolve({ answer, milliseconds: performance.now() - start, written }));
    socket.on("end", () => socket.destroy());
  });

/** Sends raw bytes and returns all that comes back until the connection ends or `milliseconds` pass. */
export const rawRequest = (receiver: RunningService, text: string, milliseconds: number): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(receiver.url);
    const socket = connect(Number(port), hostname, () => socket.write(text));
    let answer = "";
    const timer = setTimeout(() => socket.destroy(), milliseconds);
    socket.on("data", (bytes) => (answer += bytes.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
