/** For the test of customers' own servers: calls the api, and waits. */
import { setTimeout as sleep } from "node:timers/promises";

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks at of an answer.
  readonly body: any;
}

const ofEvents = /^\/(search|query|receipts|export)\b/;

/** Events are asked for with the query key, which no admin key may, all else with the admin key. */
export const callOf =
  (url: string, { queryKey, adminKey }: { readonly queryKey: string; readonly adminKey: string }) =>
  async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const key = ofEvents.test(path) ? queryKey : adminKey;
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text === "" ? "{}" : text) };
  };

/** What is there once it is as wanted, or at the end of the time. */
export const until = async <T>(
  what: () => Promise<T>,
  wanted: (value: T) => boolean,
  withinMs = 90_000,
): Promise<T> => {
  const end = Date.now() + withinMs;
  for (;;) {
    const value = await what();
    if (wanted(value) || Date.now() > end) return value;
    await sleep(250);
  }
};
