/**
 * Sends one chunk until it is answered for good. Every try carries the chunk's Idempotency-Key, so a try whose answer
 * was lost and the next one are stored once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { mayRetry, retryAfterMs, waitBefore } from "./backoff.ts";
import type { Chunk } from "./chunks.ts";
import type { Failure } from "./failure.ts";
import type { Answer, Http } from "./http.ts";
import { answerFailure, isTrustFailure, networkFailure, networkReason, reasonOf } from "./problem.ts";

const compress = promisify(gzip);

export interface Rejected {
  /** Index within the chunk. */
  readonly index: number;
  readonly reason: string;
}

export type Outcome =
  | { kind: "answered"; accepted: number; rejected: readonly Rejected[]; receipt: string }
  /** The whole chunk was refused, and would be again. */
  | { kind: "refused"; reason: string }
  /** Not answered in time: may be sent again later with the same key. */
  | { kind: "unsent"; reason: string }
  /** Nothing more can be sent: the key or the address is wrong. */
  | { kind: "hopeless"; failure: Failure };

export interface Delivery {
  readonly http: Http;
  readonly url: URL;
  readonly key: string;
  readonly runId: string;
  readonly retryForMs: number;
  /** Aborted when the user wants to stop: a try under way ends, no other begins. */
  readonly stop: AbortSignal;
  /** Told of each try that failed and will be repeated. */
  onRetry(reason: string, waitMs: number): void;
  /** Told of the bytes of each body on the wire. */
  onWire(bytes: number): void;
}

const newline = Buffer.from("\n");

const bodyOf = (chunk: Chunk): Promise<Buffer> =>
  compress(Buffer.concat(chunk.events.flatMap((event) => [event, newline])), { level: constants.Z_BEST_SPEED });

export const deliver = async (chunk: Chunk, delivery: Delivery): Promise<Outcome> => {
  const { http, url, key, runId, retryForMs, stop } = delivery;
  const body = await bodyOf(chunk);
  const deadline = Date.now() + retryForMs;
  let reason = "";
  for (let attempt = 1; !stop.aborted; attempt++) {
    let asked: number | undefined;
    try {
      delivery.onWire(body.length);
      const answer = await http.call({
        method: "POST",
        url,
        body,
        headers: {
          authorization: `Bearer ${key}`,
          "content-type": "application/x-ndjson",
          "content-encoding": "gzip",
          "idempotency-key": `${runId}-${chunk.ordinal}`,
        },
      });
      if (!mayRetry(answer.status)) return judge(answer, chunk.events.length);
      reason = `${answer.status}: ${reasonOf(answer)}`;
      asked = retryAfterMs(answer.headers["retry-after"], Date.now());
    } catch (error) {
      if (isTrustFailure(error)) return { kind: "hopeless", failure: networkFailure(error, url) };
      reason = networkReason(error);
    }
    const wait = waitBefore(attempt, asked);
    if (Date.now() + wait > deadline) break;
    delivery.onRetry(reason, wait);
    await sleep(wait, undefined, { signal: stop }).catch(() => undefined);
  }
  return { kind: "unsent", reason: stop.aborted ? "stopped" : reason };
};

interface Taken {
  accepted?: unknown;
  rejected?: unknown;
  receipt?: unknown;
}

const judge = (answer: Answer, sent: number): Outcome => {
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
    return { kind: "hopeless", failure: answerFailure(answer) };
  }
  let taken: Taken = {};
  try {
    taken = JSON.parse(answer.body) as Taken;
  } catch {
    // Judged below by its status.
  }
  const rejected = Array.isArray(taken.rejected) ? taken.rejected.flatMap(readRejected) : [];
  const success = answer.status >= 200 && answer.status < 300;
  if (!success && rejected.length === 0) return { kind: "refused", reason: reasonOf(answer) };
  // Some bad events: the good ones are in, and the answer says so itself.
  const accepted = typeof taken.accepted === "number" ? taken.accepted : success ? sent - rejected.length : 0;
  return { kind: "answered", accepted, rejected, receipt: typeof taken.receipt === "string" ? taken.receipt : "" };
};

const readRejected = (item: unknown): Rejected[] => {
  const { index, reason, message, detail, code } = (item ?? {}) as Record<string, unknown>;
  const said = [reason, message, detail, code].find((text) => typeof text === "string");
  return typeof index === "number" ? [{ index, reason: typeof said === "string" ? said : "refused" }] : [];
};
