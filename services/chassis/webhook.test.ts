import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { Fault } from "./fault.ts";
import type { OutgoingRequest } from "./outgoing.ts";
import { makeWebhookSecret, nextTryMs, signWebhook, tryWebhook } from "./webhook.ts";

const id = "msg_1";

test("the reference receiver takes what is signed here, under each of two secrets, and nothing that was changed", () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), (body, other) => {
      const [before, now, stranger] = [makeWebhookSecret(), makeWebhookSecret(), makeWebhookSecret()];
      const headers = signWebhook({ id, body }, [now, before], Date.now());
      for (const secret of [before, now]) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
      expect(() => new Webhook(stranger).verify(body, headers)).toThrow();
      expect(() => new Webhook(now).verify(`${body}${other} `, headers)).toThrow();
      expect(() => new Webhook(now).verify(body, { ...headers, "webhook-id": "msg_2" })).toThrow();
      const old = signWebhook({ id, body }, [now], Date.now() - 6 * 60_000);
      expect(() => new Webhook(now).verify(body, old)).toThrow();
    }),
    { numRuns: 30 },
  );
});

test("a secret of another form signs nothing", () => {
  const ofBytes = (count: number) => `whsec_${Buffer.alloc(count, 1).toString("base64")}`;
  for (const secret of ["", "secret", ofBytes(23), ofBytes(65)])
    expect(() => signWebhook({ id, body: "{}" }, [secret], 0)).toThrow("24 to 64 bytes");
  for (const secret of [ofBytes(24), ofBytes(64)])
    expect(() => signWebhook({ id, body: "{}" }, [secret], 0)).not.toThrow();
});

const answering = (answer: Response | Error) => ({
  fetch: (_url: string, _request?: OutgoingRequest) =>
    answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer),
});

test.each([
  [new Response("", { status: 200 }), "taken"],
  [new Response(null, { status: 204 }), "taken"],
  [new Response("", { status: 301, headers: { location: "https://example.org" } }), "failed"],
  [new Response("", { status: 404 }), "failed"],
  [new Response("a secret of theirs", { status: 500 }), "failed"],
  [new Response("", { status: 410 }), "gone"],
  [new Fault("address_failed", "The address did not answer.", { retriable: true }), "failed"],
  [new Fault("address_refused", "The address may not be asked."), "failed"],
])("answer %# is understood, and none of its words are repeated", async (answer, kind) => {
  const outcome = await tryWebhook(answering(answer), "https://example.org", [makeWebhookSecret()], { id, body: "{}" });
  expect(outcome.kind).toBe(kind);
  expect(JSON.stringify(outcome)).not.toContain("theirs");
});

test("tries come at once, then ever later, ten in all, over more than three days", () => {
  const waits = Array.from({ length: 11 }, (_, failed) => nextTryMs(failed));
  expect(waits.slice(0, 4)).toEqual([0, 5_000, 300_000, 1_800_000]);
  expect(waits.at(-1)).toBeUndefined();
  expect(waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0)).toBeGreaterThan(72 * 3_600_000);
});
