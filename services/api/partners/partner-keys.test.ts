import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { createLog, createOutgoing } from "@astralog/chassis";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { generate } from "selfsigned";
import { createPartnerKeys } from "./partner-keys.ts";

const pem = (curve: string): string =>
  generateKeyPairSync("ec", { namedCurve: curve }).publicKey.export({ type: "spki", format: "pem" }) as string;
const given = JSON.stringify({
  public_keys: [
    { key_identifier: "current", key: pem("prime256v1"), is_current: true },
    { key_identifier: "another-curve", key: pem("secp384r1") },
    { key_identifier: "no-key", key: "-----BEGIN PUBLIC KEY-----" },
  ],
});

const before = getCACertificates("default");
let server: Server;
let asked: string[];
beforeAll(async () => {
  asked = [];
  const subjectAltName = { name: "subjectAltName" as const, altNames: [{ type: 2 as const, value: "localhost" }] };
  const made = await generate([{ name: "commonName", value: "localhost" }], { extensions: [subjectAltName] });
  setDefaultCACertificates([...before, made.cert]);
  server = createServer({ cert: made.cert, key: made.private }, (request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/moved") response.writeHead(302, { location: "/keys" }).end();
    else response.end(request.url === "/keys" ? given : "<html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  setDefaultCACertificates(before);
  server.closeAllConnections();
  server.close();
});

const outgoing = createOutgoing({ allowed: ["127.0.0.0/8", "::1/128"] });
const log = createLog("test", "silent");
const at = (path: string) =>
  createPartnerKeys({
    url: `https://localhost:${(server.address() as AddressInfo).port}${path}`,
    ...{ given: "", outgoing, log },
  });

test("keys that are given are all there are, and of these the kind that GitHub signs with", async () => {
  const keys = createPartnerKeys({ url: "", given, outgoing, log });
  expect((await keys.find("current"))?.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  for (const id of ["another-curve", "no-key", "", "__proto__"]) expect(await keys.find(id)).toBeUndefined();
});

test("an address is asked once for many posts, and an unknown identifier does not have it asked again", async () => {
  const keys = at("/keys");
  const found = await Promise.all(Array.from({ length: 5 }, () => keys.find("current")));
  expect(found.every((key) => key !== undefined)).toBe(true);
  for (let i = 0; i < 5; i++) expect(await keys.find(`x${i}`)).toBeUndefined();
  expect(asked).toEqual(["/keys"]);
});

test("a redirect is not followed, and without keys the post is asked for later; so is what is no list of keys", async () => {
  for (const path of ["/moved", "/page"])
    await expect(at(path).find("current")).rejects.toMatchObject({ code: "busy", retriable: true });
  expect(asked.slice(1)).toEqual(["/moved", "/page"]);
});

test("an address without TLS is refused before anything is asked", () => {
  const make = () => createPartnerKeys({ url: "http://localhost/keys", given: "", outgoing, log });
  expect(make).toThrow(expect.objectContaining({ code: "invalid_configuration" }));
});
