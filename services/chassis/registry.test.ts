import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { schemas } from "@astralog/schemas";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createRegistry } from "./registry.ts";

let server: Server;
let asked: string[] = [];
let status = 200;
const make = () =>
  createRegistry({
    REGISTRY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ REGISTRY_USERNAME: "", REGISTRY_PASSWORD: "" },
  });

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(status).end(JSON.stringify({ schema: JSON.stringify(schemas.Event) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

test("thousands who ask for an id at once cost one request, and whoever asks later none", async () => {
  asked = [];
  const registry = make();
  const found = await Promise.all(Array.from({ length: 5_000 }, () => registry.writerOf(7)));
  expect(new Set(found).size).toBe(1);
  await registry.writerOf(7);
  expect(asked).toEqual(["/schemas/ids/7"]);
});

test("while the registry fails, all who ask are told so together, and the next one asks anew", async () => {
  asked = [];
  const registry = make();
  status = 503;
  const told = await Promise.allSettled(Array.from({ length: 100 }, () => registry.writerOf(8)));
  for (const one of told) expect(one).toMatchObject({ reason: { code: "registry_unavailable", retriable: true } });
  status = 200;
  await registry.writerOf(8);
  expect(asked).toHaveLength(2);
});

test("an id that is unknown is asked for once, by however many", async () => {
  asked = [];
  const registry = make();
  status = 404;
  for (let round = 0; round < 2; round++)
    for (const one of await Promise.allSettled(Array.from({ length: 100 }, () => registry.writerOf(9))))
      expect(one).toMatchObject({ reason: { code: "schema_unknown" } });
  expect(asked).toHaveLength(1);
});
