/**
 * What the scan costs, and what each pattern adds: node services/redactor/scan.bench.ts [--each]. A pattern may not cost
 * more than a few per cent; one careless class can make the whole scan twenty times slower.
 */
import { BatchEncoder, emptyHeader, eventSpans, readBatchHeader } from "@astralog/schemas";
import RE2 from "re2";
import { redactBatch } from "./redact.ts";
import { suspects } from "./scan.ts";
import { scanParts, scanPatterns } from "./scan-patterns.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const agents = [
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148",
  "kube-probe/1.30",
];
const pages = [
  "/",
  "/orders/81734/items?page=2&sort=price",
  "/static/app.3fa9c1.js",
  "/api/v2/search?q=blue+lamp",
  "/health",
];
const lines = (i: number): string => {
  const ip = `10.${i % 251}.${(i * 7) % 253}.${(i * 13) % 251}`;
  const at = new Date(1.75e12 + i * 137).toISOString();
  switch (i % 8) {
    case 0:
    case 1:
    case 2:
      return `${ip} - - [${at}] "GET ${pages[i % 5]} HTTP/1.1" 200 ${(i * 31) % 90_000} "https://shop.internal/cart/${i % 999}" "${agents[i % 3]}"`;
    case 3:
      return `{"ts":"${at}","caller":"pool.go:${i % 400}","msg":"connection released","pool":"orders","open":${i % 50},"idle":${i % 7},"wait_ms":${(i * 3) % 97}}`;
    case 4:
      return `level=info component=compactor msg="compaction finished" blocks=${i % 40} bytes=${i * 4099} elapsed=${(i % 900) / 10}s shard=${i % 16}`;
    case 5:
      return `ERROR OrderService: could not reserve stock for order ${i}: timeout after 3000 ms at com.shop.stock.Client.reserve(Client.java:${i % 500})`;
    case 6:
      return i % 24 === 6
        ? `Failed password for invalid user oracle from ${ip} port ${20_000 + (i % 40_000)} ssh2`
        : `pam_unix(cron:account): account opened for uid ${i % 1000} by (uid=0), elapsed ${i % 99} us on node-${i % 31}`;
    default:
      return `reconciled deployment shop/checkout generation=${i % 50} replicas=3/3 image=registry.internal/shop/checkout:1.${i % 30}.0 in ${(i * 17) % 999}ms`;
  }
};

const batches: Buffer[] = [];
const encoder = new BatchEncoder();
let events = 0;
for (let batch = 0; batch < 12; batch++) {
  for (let k = 0; k < 2000; k++, events++)
    encoder.append({
      millis: 1.75e12 + events * 137,
      nanos: 0,
      level: 9,
      service: `svc-${events % 9}`,
      host: `node-${events % 31}`,
      message: lines(events),
      trace_id:
        events % 3
          ? ""
          : (BigInt(events) * 0x9e3779b97f4a7c15f39cc0605cedc835n).toString(16).padStart(32, "0").slice(-32),
      span_id: "",
      attribute_types: "ssnn",
      attributes: [
        "http.request.method",
        "GET",
        "client.address",
        `10.2.${events % 250}.9`,
        "http.response.status_code",
        "200",
        "duration_ms",
        String(events % 877),
      ],
    });
  batches.push(encoder.finish(1, { ...emptyHeader, tenant: "tn_bench", source: "src_bench", accepted: 2000 }));
}
const bytes = batches.reduce((sum, batch) => sum + batch.length, 0);

export const seconds = (work: () => void): number => {
  work();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    // CPU time, so that what else runs on the machine matters less.
    const start = process.cpuUsage();
    work();
    best = Math.min(best, process.cpuUsage(start).user / 1e6);
  }
  return best;
};
const report = (what: string, time: number, note = ""): void =>
  print(
    `${what.padEnd(34)} ${(bytes / time / 1e6).toFixed(0).padStart(6)} MB/s ${(events / time / 1e3).toFixed(0).padStart(6)} k events/s  ${note}`,
  );

print(`${events} events, ${(bytes / events).toFixed(0)} bytes each, ${scanPatterns.length} patterns`);
const split = batches.map((batch) => ({ batch, spans: eventSpans(batch, readBatchHeader(batch).eventsAt) }));
let hits = 0;
report(
  "walk",
  seconds(() => {
    for (const batch of batches) eventSpans(batch, readBatchHeader(batch).eventsAt);
  }),
);
report(
  "scan",
  seconds(() => {
    hits = 0;
    for (const { batch, spans } of split) hits += suspects(batch, spans).length;
  }),
  `${hits} suspects`,
);
report(
  "redact",
  seconds(() => {
    for (const batch of batches) redactBatch(batch, { topic: "t", partition: 0, offset: 0 }, 1);
  }),
);
if (process.argv.includes("--each")) {
  const sweep = (patterns: readonly string[]) => {
    const any = new RE2(patterns.map((p) => `(?:${p})`).join("|"), "g");
    let found = 0;
    const time = seconds(() => {
      found = 0;
      for (const batch of batches) {
        any.lastIndex = 0;
        while (any.test(batch)) found++;
      }
    });
    return { time, found };
  };
  // Within the automaton that a pattern really stands in, in groups of ten: single ones drown in the noise.
  for (const part of scanParts) {
    const patterns = part.map(({ pattern }) => pattern);
    const base = sweep(patterns);
    report(`automaton of ${part.length}`, base.time, `${base.found} hits`);
    for (let i = 0; part.length > 10 && i < part.length; i += 10) {
      const names = part.slice(i, i + 10).map(({ detector }) => detector?.name ?? "names");
      const rest = sweep(patterns.filter((_, k) => k < i || k >= i + 10));
      const only = sweep(patterns.slice(i, i + 10));
      report(
        `${i}+`,
        only.time,
        `alone; without them ${(bytes / rest.time / 1e6).toFixed(0)} MB/s; ${only.found} hits; ${[...new Set(names)].join(" ").slice(0, 150)}`,
      );
    }
  }
}
