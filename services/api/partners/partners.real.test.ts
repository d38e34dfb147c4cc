/** GitHub's part is played by a key pair of the test's own; the keys' address is a real HTTPS server. */
import { generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { type MailSink, startMailSink } from "@astralog/local";
import { makeKey } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { type Platform, platform, type RunningService, sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { callApi, until } from "../api.driver.ts";
import { plantMember } from "../http/access.driver.ts";

const github = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const forger = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const weaker = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = (pair: typeof github) => pair.publicKey.export({ type: "spki", format: "pem" }) as string;
const keyDocument = JSON.stringify({
  public_keys: [
    { key_identifier: "current", key: pem(github), is_current: true },
    { key_identifier: "rsa", key: weaker.publicKey.export({ type: "spki", format: "pem" }), is_current: false },
  ],
});

let one: Platform;
let api: RunningService;
let call: ReturnType<typeof callApi>;
let sink: MailSink;
let published: Server;
beforeAll(async () => {
  one = await platform(sharedStack());
  sink = await startMailSink({ smtp: 0, page: 0 });
  const db = connectPostgres(one.env("api").POSTGRES_URL ?? "");
  for (const role of ["owner", "admin", "member"])
    await plantMember(db, one.tenant, role, { email: `${role}@leaky.example` });
  await db.destroy();
  const { certFile, keyFile, ca } = one.stack.tls;
  const tls = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  published = createServer(tls, (_, response) => response.end(keyDocument));
  await new Promise<void>((resolve) => published.listen(0, "127.0.0.1", resolve));
  api = await one.start("api", {
    SECRET_SCANNING_KEYS_URL: `https://localhost:${(published.address() as AddressInfo).port}/keys`,
    ...{ OUTGOING_ALLOWED: "127.0.0.0/8,::1/128", NODE_EXTRA_CA_CERTS: ca, MAIL_URL: sink.smtp },
  });
  call = callApi(api);
  await until("the admin key", async () =>
    (await call(one.adminKey, "GET", "/keys")).status === 200 ? true : undefined,
  );
});
afterAll(async () => {
  published?.closeAllConnections();
  published?.close();
  await one?.stop();
  await sink?.close();
});

interface Post {
  id?: string;
  pair?: { privateKey: typeof github.privateKey };
  /** What is signed, when it is not the body. */
  signed?: string;
}

const post = async (body: string, { id = "current", pair = github, signed = body }: Post = {}) => {
  const response = await fetch(`${api.url}/api/v1/partners/github/secret-scanning`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "github-public-key-identifier": id,
      "github-public-key-signature": sign("sha256", Buffer.from(signed), pair.privateKey).toString("base64"),
    },
    body,
  });
  return { status: response.status, text: await response.text() };
};

const found = (...tokens: string[]) =>
  JSON.stringify(
    tokens.map((token) => ({ token, type: "astralog_api_key", url: "https://example.com/leak", source: "content" })),
  );

const makeIngest = async (): Promise<{ id: string; key: string }> => {
  const { status, body } = await call(one.adminKey, "POST", "/keys", {
    kind: "ingest",
    source: one.source,
    name: "leaky",
  });
  expect(status).toBe(201);
  return body;
};

const endOf = async (id: string): Promise<unknown> =>
  (await call(one.adminKey, "GET", "/keys")).body.keys.find((key) => key.id === id)?.revoked_at;

test("a signed post ends exactly the keys it names, says which were real, and the owner's trail tells of it", async () => {
  const [leaked, other] = [await makeIngest(), await makeIngest()];
  const never = makeKey("ingest");
  const { status, text } = await post(found(leaked.key, never, "al_ing_nonsense"));
  expect(status).toBe(200);
  expect((JSON.parse(text) as { label: string }[]).map(({ label }) => label)).toEqual([
    "true_positive",
    "false_positive",
    "false_positive",
  ]);
  expect(text).not.toContain(leaked.key);
  expect(api.output()).not.toContain(leaked.key);
  expect(await endOf(leaked.id)).not.toBeNull();
  expect(await endOf(other.id)).toBeNull();
  const { body: trail } = await call(one.adminKey, "GET", `/audit?action=key.revoked&target=${leaked.id}`);
  expect(trail.events).toMatchObject([{ actor: { kind: "system", id: "github-secret-scanning" } }]);

  // Who can make another is written to, with nothing that would open anything.
  const mails = await until("both letters", () => (sink.mails().length >= 2 ? sink.mails() : undefined));
  expect(mails.map(({ to }) => to.toString()).toSorted()).toEqual(["admin@leaky.example", "owner@leaky.example"]);
  for (const { text } of mails) {
    expect(text).toContain(`${leaked.key.slice(0, 7)}…${leaked.key.slice(-4)} (leaky)`);
    expect(text).toContain("https://example.com/leak");
    expect(text).not.toContain(leaked.key.slice(7, -4));
  }

  // GitHub posts again what it finds again: still ours, and the trail tells of its end once.
  expect(JSON.parse((await post(found(leaked.key))).text)).toMatchObject([{ label: "true_positive" }]);
  const { body: again } = await call(one.adminKey, "GET", `/audit?action=key.revoked&target=${leaked.id}`);
  expect(again.events).toHaveLength(1);
  expect(sink.mails()).toHaveLength(2);
});

test("what is forged, changed on the way, unsigned, or signed by a key of another kind ends nothing", async () => {
  const { id, key } = await makeIngest();
  const body = found(key);
  const tries: Post[] = [
    { pair: forger },
    { signed: found("another") },
    { signed: `${body} ` },
    { id: "unknown" },
    { id: "rsa", pair: weaker },
    { id: "" },
  ];
  for (const each of tries) expect([each, (await post(body, each)).status]).toEqual([each, 401]);
  const bare = await fetch(`${api.url}/api/v1/partners/github/secret-scanning`, { method: "POST", body });
  expect(bare.status).toBe(401);
  expect(await endOf(id)).toBeNull();
  expect((await post("not json")).status).toBe(400);
  expect((await post(JSON.stringify({ token: key }))).status).toBe(400);
});
