/** One fault test on services that run: steady traffic, the fault, then the ledger's judgement. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClickHouse, connectClickHouse } from "./clickhouse.ts";
import type { Fault, FaultContext } from "./fault.ts";
import { percentile } from "./figures.ts";
import { type Judgement, judge, openLedger, type StoredRow } from "./ledger.ts";
import type { Pipeline } from "./pipeline.ts";
import { startTraffic } from "./traffic.ts";

export interface Outcome extends Judgement {
  readonly id: string;
  readonly title: string;
  readonly seconds: number;
  /** The longest that something took to be well again. */
  readonly recoveryMs: number;
  /** From the end of the traffic until everything was stored. */
  readonly drainMs: number;
  readonly ackP50: number;
  readonly ackP99: number;
  readonly notes: readonly string[];
  /** Why the test failed; empty when it passed. */
  readonly broken: readonly string[];
}

export interface FaultOptions {
  /** 1 is the full form. */
  readonly scale: number;
  readonly eventsPerSecond?: number;
}

/** A short run is on a machine that tests other things at the same time. */
const backWithinMs = (scale: number): number => (scale < 1 ? 20_000 : 10_000);
const storedWithinMs = 120_000;
const graceMs = 60_000;

const rowsOf = async (clickhouse: ClickHouse, tenant: string, source: string): Promise<StoredRow[]> =>
  (
    await clickhouse.rows<{ seq: string; sum: string; n: string }>(
      `SELECT attributes['seq'] AS seq, lower(hex(SHA256(message))) AS sum, count() AS n FROM events WHERE tenant = '${tenant}' GROUP BY seq, sum`,
    )
  ).map(({ seq, sum, n }) => ({ source, seq: Number(seq), sha256: sum, copies: Number(n) }));

/** Waits until as many events are stored as were acknowledged; what is missing then is lost. */
const settle = async (clickhouse: ClickHouse, tenant: string, acked: number): Promise<void> => {
  const deadline = performance.now() + storedWithinMs;
  const stored = async (): Promise<number> =>
    Number(
      (
        await clickhouse.rows<{ n: string }>(
          `SELECT uniqExact(attributes['seq']) AS n FROM events WHERE tenant = '${tenant}'`,
        )
      )[0]?.n ?? 0,
    );
  while ((await stored()) < acked && performance.now() < deadline) await sleep(200);
  // Copies would come later than the first ones.
  await sleep(2_000);
};

const verify = async (api: string, adminKey: string): Promise<string[]> => {
  const answer = await fetch(`${api}/api/v1/verify?wait=30`, { headers: { authorization: `Bearer ${adminKey}` } });
  const said = (await answer.json()) as {
    ok?: boolean;
    gaps?: unknown[];
    duplicates?: unknown[];
    mismatches?: unknown[];
  };
  if (said.ok === true) return [];
  const findings = JSON.stringify({ gaps: said.gaps, duplicates: said.duplicates, mismatches: said.mismatches });
  return [`verify is not clean: ${findings.slice(0, 300)}`];
};

export const runFault = async (
  fault: Fault,
  pipeline: Pipeline,
  { scale, eventsPerSecond = 2_000 }: FaultOptions,
): Promise<Outcome> => {
  const begun = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "astralog-chaos-"));
  const path = join(folder, "ledger");
  const clickhouse = connectClickHouse(pipeline.stack.clickhouse);
  const ledger = openLedger(path);
  const notes: string[] = [];
  const broken: string[] = [];
  const recoveries: number[] = [];
  try {
    const { platform } = pipeline;
    const source = "app";
    const traffic = startTraffic({
      target: pipeline.target,
      ledger,
      source,
      eventsPerSecond,
      eventsPerBatch: 50,
      mostUnderWay: 64,
    });
    await sleep(2_000);
    const context: FaultContext = {
      pipeline,
      clickhouse,
      ledger,
      source,
      traffic,
      scaled: (full, least) => Math.max(least, full * scale),
      recovered: (ms) => void recoveries.push(ms),
      note: (what) => void notes.push(what),
      broken: (what) => void broken.push(what),
      restart: async (name, signal) => {
        await pipeline.service(name).kill(signal);
        const gone = performance.now();
        await pipeline.start(name);
        const ms = performance.now() - gone;
        recoveries.push(ms);
        if (ms > backWithinMs(scale)) broken.push(`the ${name} took ${(ms / 1000).toFixed(1)} s to be ready again`);
      },
    };
    await fault.run(context);
    await traffic.stop(graceMs);
    if (traffic.odd.length > 0)
      broken.push(`${traffic.odd.length} answers a client must not get, such as ${traffic.odd[0]}`);
    const stopped = performance.now();
    await settle(clickhouse, platform.tenant, ledger.ackedCount);
    const drainMs = performance.now() - stopped - 2_000;
    await fault.after?.(context);
    broken.push(...(await verify(pipeline.service("api").url, platform.adminKey)));
    ledger.close();
    const judgement = judge(path, await rowsOf(clickhouse, platform.tenant, source));
    for (const wrong of ["lost", "copies", "phantom", "altered"] as const) {
      if (judgement[wrong] > 0) broken.push(`${judgement[wrong]} ${wrong}: ${judgement.examples.join("; ")}`);
    }
    if (judgement.acked === 0) broken.push("nothing was acknowledged: the test has tested nothing");
    return {
      id: fault.id,
      title: fault.title,
      seconds: (performance.now() - begun) / 1000,
      ...judgement,
      recoveryMs: recoveries.length === 0 ? Number.NaN : Math.max(...recoveries),
      drainMs,
      ackP50: percentile(traffic.ackMs, 0.5),
      ackP99: percentile(traffic.ackMs, 0.99),
      notes: [
        ...notes,
        `statuses ${[...traffic.statuses].map(([status, n]) => `${status === 0 ? "cut" : status}: ${n}`).join(", ")}`,
      ],
      broken,
    };
  } finally {
    clickhouse.close();
    rmSync(folder, { recursive: true, force: true });
  }
};
