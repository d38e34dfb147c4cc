import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import fc from "fast-check";
import { createOutgoing, isPublicAddress } from "./outgoing.ts";

let server: Server;
let port: number;
let asked: string[];
beforeAll(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host}${request.url}`);
    if (request.url === "/moved") response.writeHead(302, { location: "http://169.254.169.254/" }).end();
    else if (request.url === "/large") response.end("x".repeat(2_000_000));
    else if (request.url === "/endless") response.write("x");
    else if (request.url === "/none") response.writeHead(204).end();
    else request.pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const open = createOutgoing({ allowed: ["127.0.0.0/8"] });
const strict = createOutgoing({ allowed: [] });
const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "answered",
    (error: { code: string }) => error.code,
  );

test("what leads inside is refused before anything is asked, in whatever writing", async () => {
  for (const address of [
    "http://1.1.1.1/",
    "https://1.1.1.1:22/",
    "ftp://1.1.1.1/",
    "https://user:word@1.1.1.1/",
    "https://user@1.1.1.1/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://localhost./",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0x7f.1/",
    "https://16843009/",
    "https://0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:1.1.1.1]/",
    "https://[::7f00:1]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b:1::a9fe:a9fe]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "not an address",
    `https://example.com/${"x".repeat(3_000)}`,
  ])
    expect([address, await codeOf(strict.fetch(address, { timeoutMs: 500 }))]).toEqual([address, "address_refused"]);
  expect(() => strict.check("https://hooks.example.com:8443/a")).not.toThrow();
  expect(() => strict.check("http://hooks.example.com/a")).toThrow();
});

test("no IPv4 address is public in IPv6's clothes, and those of one's own network never are", () => {
  expect(["1.1.1.1", "8.8.8.8", "2606:4700::1111"].map(isPublicAddress)).toEqual([true, true, true]);
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(isPublicAddress(`::ffff:${address}`)).toBe(false);
      expect(isPublicAddress(`::${address}`)).toBe(false);
      expect(isPublicAddress(`64:ff9b::${address}`)).toBe(false);
      const [a = 0] = address.split(".").map(Number);
      if (a === 0 || a === 10 || a === 127 || a >= 224) expect(isPublicAddress(address)).toBe(false);
    }),
  );
});

test("a name is resolved once and asked where it was judged: one that flips afterwards gains nothing", async () => {
  const answers = [["127.0.0.1"], ["127.0.0.9"], ["127.0.0.1", "10.0.0.1"], []];
  let count = 0;
  const flipping = createOutgoing({
    allowed: ["127.0.0.1/32"],
    resolve: (host) => {
      expect(host).toBe("rebind.example.com");
      return Promise.resolve((answers[count++] ?? []).map((address) => ({ address, family: 4 })));
    },
  });
  const at = `http://rebind.example.com:${port}/echo`;
  const answer = await flipping.fetch(at, { method: "POST", body: "ping" });
  expect([answer.status, await answer.text(), count]).toEqual([200, "ping", 1]);
  expect(asked.at(-1)).toBe(`POST rebind.example.com:${port}/echo`);
  // One bad address among good ones is enough, and a name that does not exist looks the same.
  for (let i = 0; i < 3; i++) expect(await codeOf(flipping.fetch(at))).toBe("address_refused");
});

test("an allowance for one's own network opens neither other ports nor plain http to the public one", async () => {
  const both = createOutgoing({
    allowed: ["127.0.0.0/8"],
    resolve: () => Promise.resolve([{ address: "1.1.1.1", family: 4 }]),
  });
  for (const address of ["http://example.com/", "https://example.com:22/", "http://1.1.1.1/", "https://10.0.0.1/"])
    expect([address, await codeOf(both.fetch(address))]).toEqual([address, "address_refused"]);
});

test("redirects are answers; what is too large, too slow or not there is a failure that says no more", async () => {
  const at = (path: string) => open.fetch(`http://127.0.0.1:${port}${path}`, { timeoutMs: 300 });
  asked = [];
  expect((await at("/moved")).status).toBe(302);
  expect(asked).toHaveLength(1);
  expect((await at("/none")).status).toBe(204);
  expect(await codeOf(at("/large"))).toBe("address_failed");
  expect(await codeOf(at("/endless"))).toBe("address_failed");
  expect(await codeOf(open.fetch("http://127.0.0.1:1/"))).toBe("address_failed");
  const slow = createOutgoing({ allowed: [], resolve: () => new Promise(() => undefined) });
  expect(await codeOf(slow.fetch("https://example.com/", { timeoutMs: 50 }))).toBe("address_failed");
});

test("a form is sent as one", async () => {
  const answer = await open.fetch(`http://127.0.0.1:${port}/`, {
    method: "POST",
    body: new URLSearchParams({ a: "b c" }),
  });
  expect(await answer.text()).toBe("a=b+c");
});
