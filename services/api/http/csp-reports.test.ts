import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "@astralog/chassis";
import { createLog, createMetrics } from "@astralog/chassis";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import express from "express";
import { createApiMetrics } from "../metrics.ts";
import { createCspReports, reportPath } from "./csp-reports.ts";
import { createErrorHandler } from "./problems.ts";

let logged: string[];
let metrics: ReturnType<typeof createMetrics>;
let post: (type: string, body: unknown) => Promise<number>;
let stop: () => void;

beforeEach(async () => {
  logged = [];
  metrics = createMetrics("api");
  const log = { warn: (fields: object) => void logged.push(JSON.stringify(fields)) } as unknown as Log;
  const app = express();
  app.use(
    createCspReports({ metrics: createApiMetrics(metrics), log }),
    createErrorHandler(createLog("test", "silent")),
  );
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${reportPath}`;
  post = async (type, body) => {
    const headers = { "content-type": type };
    const answer = await fetch(url, {
      ...{ method: "POST", headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  stop = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterEach(() => stop());

const secret = "al_adm_0123456789abcdefghijABCDEFGHIJ";
const both = [
  [
    "application/csp-report",
    {
      "csp-report": {
        "document-uri": `https://logs.example/sources/${secret}?key=${secret}`,
        "violated-directive": "script-src-elem 'self'",
        "blocked-uri": `https://evil.example:8443/x.js?stolen=${secret}`,
        "script-sample": secret,
        referrer: `https://logs.example/welcome?${secret}`,
        "original-policy": secret,
      },
    },
  ],
  [
    "application/reports+json",
    [
      {
        type: "csp-violation",
        age: 1,
        url: `https://logs.example/sources?${secret}`,
        user_agent: secret,
        body: {
          documentURL: `https://logs.example/sources/${secret}`,
          effectiveDirective: "script-src-elem",
          blockedURL: `https://evil.example:8443/${secret}`,
          sample: secret,
        },
      },
      { type: "deprecation", body: { id: secret } },
    ],
  ],
] as const;

test("both forms of report are counted, told of once, and nothing of an address but origin and page is kept", async () => {
  for (const [type, body] of both) expect(await post(type, body)).toBe(204);
  expect(logged).toEqual(['{"directive":"script-src-elem","blocked":"https://evil.example:8443","page":"/sources"}']);
  const told = await metrics.registry.metrics();
  expect(told).toMatch(/astralog_api_csp_reports_total\{directive="script-src-elem"[^}]*\} 2/);
  expect(told).not.toContain(secret);
});

test("what a stranger makes up neither grows the metrics nor the log, and is refused when it is no report", async () => {
  for (let i = 0; i < 20; i++) {
    const report = { "effective-directive": `made-up-${i}`, "blocked-uri": `\u001b[31m${i}`, "document-uri": `x${i}` };
    expect(await post("application/csp-report", { "csp-report": report })).toBe(204);
  }
  expect(logged).toEqual(['{"directive":"other","blocked":"other","page":"/"}']);
  expect(await metrics.registry.metrics()).toMatch(/csp_reports_total\{directive="other"[^}]*\} 20/);
  for (const [type, body] of [
    ["application/json", both[0][1]],
    ["application/csp-report", "{"],
    ["application/csp-report", "[]"],
    ["application/csp-report", { "csp-report": { "blocked-uri": { $gt: "" } } }],
    ["application/reports+json", [{ type: "csp-violation", body: null }]],
  ] as const)
    expect([type, await post(type, body)]).toEqual([
      type,
      type === "application/csp-report" && body === "[]" ? 204 : 400,
    ]);
  expect(await post("application/csp-report", `"${"x".repeat(70_000)}"`)).toBe(413);
  const statuses = [];
  for (let i = 0; i < 60; i++) statuses.push(await post("application/csp-report", "[]"));
  expect(statuses.at(-1)).toBe(429);
});
