/**
 * Webhooks as Standard Webhooks has them (standardwebhooks.com): what is signed, how, and one try to deliver. When to try
 * again, and what to keep until then, is the sender's; `nextTryMs` is the schedule he shares with others.
 */
import { createHmac, randomBytes } from "node:crypto";
import { Fault } from "./fault.ts";
import type { Outgoing } from "./outgoing.ts";

const prefix = "whsec_";
const secretForm = /^whsec_([A-Za-z0-9+/]{32,86}={0,2})$/;

/** 32 random bytes; the scheme allows 24 to 64. */
export const makeWebhookSecret = (): string => prefix + randomBytes(32).toString("base64");

const keyOf = (secret: string): Buffer => {
  const key = Buffer.from(secretForm.exec(secret)?.[1] ?? "", "base64");
  if (key.length < 24 || key.length > 64)
    throw new Fault("secret_malformed", "A webhook's secret is whsec_ and 24 to 64 bytes in base64.");
  return key;
};

export interface WebhookMessage {
  /** The same with every try, so that a receiver can tell a repeat. */
  readonly id: string;
  readonly body: string;
}

/** The headers that prove a message, as of `at` in milliseconds. While a secret is rotated, each of both signs. */
export const signWebhook = (
  { id, body }: WebhookMessage,
  secrets: readonly string[],
  at: number,
): Record<string, string> => {
  const timestamp = String(Math.floor(at / 1000));
  const signatures = secrets.map(
    (secret) => `v1,${createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64")}`,
  );
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
};

/** `gone`: the receiver wants no more of them, ever. `problem` is for the customer: it holds no word of the answer. */
export type WebhookOutcome =
  | { readonly kind: "taken" }
  | { readonly kind: "gone"; readonly problem: string }
  | { readonly kind: "failed"; readonly problem: string };

const timeoutMs = 15_000;
/** An answer is not read for its content. */
const mostBytes = 65_536;

/** One POST and what its answer means. Rejects with nothing but what is wrong here. */
export const tryPost = async (
  outgoing: Pick<Outgoing, "fetch">,
  url: string,
  request: { headers: Readonly<Record<string, string>>; body: string },
  signal?: AbortSignal,
): Promise<WebhookOutcome> => {
  try {
    const { status } = await outgoing.fetch(url, {
      ...{ method: "POST", ...request, timeoutMs, mostBytes },
      ...(signal === undefined ? {} : { signal }),
    });
    if (status >= 200 && status < 300) return { kind: "taken" };
    if (status === 410) return { kind: "gone", problem: "It answered 410: it wants no more." };
    const redirect = status >= 300 && status < 400 ? ", a redirect, which is not followed" : "";
    return { kind: "failed", problem: `It answered ${status}${redirect}.` };
  } catch (error) {
    if (error instanceof Fault && ["address_refused", "address_failed"].includes(error.code))
      return { kind: "failed", problem: error.message };
    throw error;
  }
};

/** One try. Rejects with nothing but what is wrong here, such as a malformed secret. */
export const tryWebhook = async (
  outgoing: Pick<Outgoing, "fetch">,
  url: string,
  secrets: readonly string[],
  message: WebhookMessage,
  signal?: AbortSignal,
): Promise<WebhookOutcome> => {
  const headers = { "content-type": "application/json", ...signWebhook(message, secrets, Date.now()) };
  return tryPost(outgoing, url, { headers, body: message.body }, signal);
};

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** Before the first try, the second, … */
const waits = [0, 5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];

/** How long to wait after so many tries that failed; undefined when there were enough. */
export const nextTryMs = (failed: number): number | undefined => waits[failed];
