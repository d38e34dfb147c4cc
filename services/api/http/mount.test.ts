/** What every endpoint passes, over HTTP in this process; who asks is given by each test. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createLog } from "@astralog/chassis";
import { afterEach, expect, test } from "@jest/globals";
import express from "express";
import { z } from "zod";
import type { Caller, Person } from "./caller.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { mount } from "./mount.ts";
import { createErrorHandler, notFound } from "./problems.ts";

const key: Caller = {
  tenant: "tn_a",
  actor: { kind: "key", id: "key_1", name: "" },
  permissions: new Set(["sources.write"] as const),
  grants: new Set(),
  sources: "all",
};
const person = (mfaAt: Date | null): Caller & Person => ({
  ...key,
  actor: { kind: "user", id: "usr_1", name: "Ann" },
  email: "ann@example.com",
  session: { id: "ses_1", person: "usr_1", mfaAt },
  organization: null,
});

let stop: () => void = () => {};
afterEach(() => stop());

const serve = async (endpoints: Endpoint[], asker: Caller | Person = key) => {
  const denied: string[] = [];
  const app = express();
  const deps = {
    authenticate: () => Promise.resolve(asker),
    audit: { denied: (_: unknown, reason: string) => void denied.push(reason) },
    limit: ((_request, _response, next) => next()) as express.RequestHandler,
  };
  app.use(mount(endpoints, deps), notFound, createErrorHandler(createLog("test", "silent")));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stop = () => {
    server.close();
    server.closeAllConnections();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (method: string, path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, { method, ...init });
    const text = await response.text();
    const body = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : text;
    return { status: response.status, body, etag: response.headers.get("etag") };
  };
  return { ask, denied };
};
const json = (body: unknown): RequestInit => ({
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

const common = { access: "sources.write", tag: "t", summary: "s", success: { status: 200 } } as const;
const echo = endpoint({
  ...common,
  ...{ method: "post", path: "/echo/:id" },
  query: z.strictObject({ n: z.coerce.number().int().optional() }),
  body: z.strictObject({ name: z.string().max(5), list: z.array(z.int()).default([]) }),
  etag: true,
  handle: ({ params, query, body, unchanged }) => {
    unchanged({ now: 1 });
    return { ...params, ...query, ...body };
  },
});

test("a handler gets what its schemas made, and nothing else gets through", async () => {
  const { ask } = await serve([echo]);
  expect((await ask("POST", "/echo/a?n=3", json({ name: "x" }))).body).toEqual({ id: "a", n: 3, name: "x", list: [] });
  for (const [path, init, detail] of [
    ["/echo/a", json({ name: "too long" }), /^name: /],
    ["/echo/a", json({ name: "x", id: "b" }), /^unknown field "id"; it may have name, list$/],
    ["/echo/a", json('{"name":"x","__proto__":{"admin":true}}'), /unknown field "__proto__"/],
    ["/echo/a", json('{"name":"x","constructor":{"prototype":{}}}'), /unknown field "constructor"/],
    ["/echo/a", json('{"name":"x","name":3}'), /^name: /],
    ["/echo/a?n=1&n=2", json({ name: "x" }), /^n: /],
    ["/echo/a?n[]=1", json({ name: "x" }), /unknown field "n\[\]"/],
    ["/echo/a?other=1", json({ name: "x" }), /unknown field "other"/],
    ["/echo/a", json("{"), /not JSON/],
    ["/echo/a", json("3"), /not JSON/],
    ["/echo/a", {}, /^name: /],
    [`/echo/${"a".repeat(1_001)}`, json({ name: "x" }), /^id: /],
    ["/echo/%ff", json({ name: "x" }), /address/],
  ] as const) {
    const { status, body } = await ask("POST", path, init);
    expect([path, init.body, status]).toEqual([path, init.body, 400]);
    expect((body as { detail: string }).detail).toMatch(detail);
  }
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

test("what a browser sends for another page's form is not read as JSON", async () => {
  const { ask } = await serve([echo]);
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    const { status } = await ask("POST", "/echo/a", { body: '{"name":"x"}', headers: { "content-type": type } });
    expect([type, status]).toEqual([type, 415]);
  }
});

test("a body is not read before its sender may do what he asks for, and is as long as the endpoint says", async () => {
  const large = endpoint({
    ...common,
    ...{ method: "put", path: "/large" },
    takes: "bytes",
    bodyLimit: "1kb",
    handle: ({ request }) => ({ bytes: (request.body as Buffer).length }),
  });
  const refused = endpoint({
    ...common,
    ...{ method: "put", path: "/refused" },
    access: "keys.write",
    takes: "bytes",
    handle: () => ({}),
  });
  const { ask, denied } = await serve([large, refused]);
  expect((await ask("PUT", "/large", { body: "x".repeat(1_024) })).body).toEqual({ bytes: 1_024 });
  expect((await ask("PUT", "/large", { body: "x".repeat(1_025) })).status).toBe(413);
  expect((await ask("PUT", "/refused", { body: "x".repeat(1_000_000) })).status).toBe(403);
  expect(denied).toEqual(["needs keys.write"]);
});

test("If-Match is held against what is stored, and an answer carries its own tag", async () => {
  const { ask } = await serve([echo]);
  const body = json({ name: "x" });
  const done = await ask("POST", "/echo/a", body);
  expect(done.etag).toMatch(/^"[0-9a-f]{32}"$/);
  const headers = (tag: string) => ({ ...body, headers: { ...body.headers, "if-match": tag } });
  expect((await ask("POST", "/echo/a", headers(done.etag ?? ""))).body).toMatchObject({ code: "changed", status: 412 });
  const stored = await import("./etag.ts").then(({ etagOf }) => etagOf({ now: 1 }));
  expect((await ask("POST", "/echo/a", headers(`"x", ${stored}`))).status).toBe(200);
  expect((await ask("POST", "/echo/a", headers("*"))).status).toBe(200);
});

test("a dangerous act asks a person for a second factor of the last minutes, and a key for none", async () => {
  const dangerous = endpoint({
    ...common,
    ...{ method: "delete", path: "/all" },
    stepUp: true,
    success: { status: 204 },
    handle: () => undefined,
  });
  for (const [asker, status] of [
    [person(null), 403],
    [person(new Date(Date.now() - 11 * 60_000)), 403],
    [person(new Date(Date.now() - 9 * 60_000)), 204],
    [key, 204],
  ] as const) {
    const { ask } = await serve([dangerous], asker);
    const reply = await ask("DELETE", "/all");
    expect(reply.status).toBe(status);
    if (status === 403) expect(reply.body).toMatchObject({ code: "step_up_required" });
    stop();
  }
});

test("no permission, no access; and whoever has none at all is no member", async () => {
  const any = endpoint({ ...common, ...{ method: "get", path: "/any" }, access: "member", handle: () => ({}) });
  const mine = endpoint({
    ...common,
    ...{ method: "get", path: "/mine" },
    access: "signed-in",
    handle: ({ caller }) => ({ me: caller.actor.id }),
  });
  const nobody = { ...key, permissions: new Set<never>() };
  const { ask } = await serve([any, mine, echo], nobody);
  expect((await ask("GET", "/any")).status).toBe(403);
  expect((await ask("POST", "/echo/a", json({ name: "x" }))).status).toBe(403);
  expect((await ask("GET", "/echo/a")).status).toBe(404);
  stop();
  const there = await serve([any, mine], person(null));
  expect([(await there.ask("GET", "/any")).status, (await there.ask("GET", "/mine")).body]).toEqual([
    200,
    { me: "usr_1" },
  ]);
});

test("two endpoints cannot claim one route, whatever they call its parameter", () => {
  const other = endpoint({ ...common, ...{ method: "post", path: "/echo/:name" }, handle: () => ({}) });
  const deps = { authenticate: () => Promise.resolve(key), audit: { denied: () => {} }, limit: () => {} };
  expect(() => mount([echo, other], deps)).toThrow(/claimed twice/);
});
