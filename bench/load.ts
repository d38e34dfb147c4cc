/** A load generator that costs little: kept-alive connections, bodies that are ready, one callback an answer. */
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

export interface Target {
  readonly url: URL;
  readonly ca: string;
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Loader {
  post(body: Uint8Array, headers?: Record<string, string>): Promise<Answer>;
  close(): void;
}

export const createLoader = ({ url, ca, key }: Target, connections: number): Loader => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections, ca });
  const fixed = { authorization: `Bearer ${key}`, "content-type": "application/x-ndjson", "content-encoding": "gzip" };
  return {
    post: (body, headers = {}) =>
      new Promise((resolve, reject) => {
        const sent = request(
          url,
          { method: "POST", agent, headers: { ...fixed, "content-length": body.length, ...headers } },
          (response) => {
            let text = "";
            response.setEncoding("utf8");
            response.on("data", (piece: string) => {
              text += piece;
            });
            response.on("error", reject);
            response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
          },
        );
        sent.setTimeout(60_000, () => sent.destroy(new Error("no answer within 60 s")));
        sent.on("error", reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
};

/**
 * Sends every body once over `connections`, each as soon as the one before was answered. 429 and 503 are obeyed and sent
 * again. Returns how many tries were turned away. Throws on any other answer but 2xx.
 */
export const sendAll = async <B extends { bytes: Uint8Array }>(
  loader: Loader,
  bodies: Iterable<B>,
  connections: number,
  onAnswer: (body: B, answer: Answer, ms: number) => void,
): Promise<number> => {
  const queue = bodies[Symbol.iterator]();
  let turnedAway = 0;
  const one = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      const begun = performance.now();
      let answer = await loader.post(next.value.bytes);
      while (answer.status === 429 || answer.status === 503) {
        turnedAway++;
        await sleep(Number(answer.headers["retry-after"] ?? 1) * 1000);
        answer = await loader.post(next.value.bytes);
      }
      if (answer.status < 200 || answer.status > 299)
        throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 300)}`);
      onAnswer(next.value, answer, performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return turnedAway;
};
