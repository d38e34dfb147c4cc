/**
 * One organization of fifty is deleted while another sends at a steady rate: how long until the certificate, whether it
 * holds, whether anybody else's events are fewer, and what the one who sends notices.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Certificate, checkCertificate } from "@astralog/schemas/retention/index";
import { makeBodies } from "./bodies.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createLoader, sendAll } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";
import { storedEvents } from "./stored.ts";

export interface DeletionResult {
  readonly tenants: number;
  readonly events: number;
  readonly removed: number;
  readonly certifiedSeconds: number;
  /** Why the certificate does not hold. */
  readonly problems: readonly string[];
  /** Organizations whose count is another than before. */
  readonly changed: number;
  readonly beforePerSecond: number;
  readonly duringPerSecond: number;
  readonly afterPerSecond: number;
  readonly storedBefore: number;
  readonly storedDuring: number;
}

const tenants = 50;
const perRecord = 1_000;
const stretchMs = 20_000;
const mostMs = 600_000;
const perBody = 500;
const mostUnderWay = 64;

/** As the sink would have stored them an hour ago, in the partition that what comes now goes to, too. */
const plant = async (pipeline: Pipeline, victim: { tenant: string; source: string }, each: number): Promise<void> => {
  const clickhouse = connectClickHouse(pipeline.stack.clickhouse);
  const whose = `if(intDiv(number, ${each}) = 0, '${victim.tenant}', concat('tn_bench', toString(intDiv(number, ${each}))))`;
  const source = `if(intDiv(number, ${each}) = 0, '${victim.source}', concat('src_bench', toString(intDiv(number, ${each}))))`;
  const topic = `${pipeline.platform.prefix}planted`;
  const at = "toDateTime64(now('UTC') - INTERVAL 1 HOUR, 3, 'UTC')";
  await clickhouse.run(`INSERT INTO events (tenant, source, timestamp, received_at, expires_on, level, service, host, message,
      trace_id, span_id, attribute_types, attributes, topic, partition, offset, idx, inserted_at)
    SELECT ${whose}, ${source}, toDateTime64(${at}, 9, 'UTC') - toIntervalMillisecond(number % 3600000), ${at}, toDate(now('UTC')) + 30,
      9, concat('svc-', toString(number % 12)), concat('host-', toString(number % 40)),
      concat('request ', hex(cityHash64(number)), ' for /page/', toString(number % 977), ' took ', toString(number % 231), ' ms'),
      '', '', 'sn', map('user', toString(number % 5000), 'ms', toString(number % 231)),
      '${topic}', 0, intDiv(number, ${perRecord}), number % ${perRecord}, now('UTC') - INTERVAL 1 HOUR
    FROM numbers(${each * tenants})`);
  await clickhouse.run(`INSERT INTO batches (topic, partition, offset, tenant, source, received_at, accepted, stored, inserted_at)
    SELECT '${topic}', 0, number, ${whose.replaceAll("number", `number * ${perRecord}`)}, ${source.replaceAll("number", `number * ${perRecord}`)},
      ${at}, ${perRecord}, ${perRecord}, ${at} FROM numbers(${(each * tenants) / perRecord})`);
  clickhouse.close();
};

export const runDeletion = async (
  pipeline: Pipeline,
  events: number,
  rate: number,
  say: (text: string) => void,
): Promise<DeletionResult> => {
  const each = Math.max(perRecord, Math.floor(events / tenants / perRecord) * perRecord);
  const victim = (await pipeline.anew("victim")).platform;
  const clickhouse = connectClickHouse(pipeline.stack.clickhouse);
  say(`planting ${tenants} organizations of ${each} events`);
  await plant(pipeline, victim, each);
  const counts = async (): Promise<Map<string, number>> =>
    new Map(
      (
        await clickhouse.rows<{ tenant: string; n: string }>(
          `SELECT tenant, toString(count()) AS n FROM events WHERE tenant LIKE 'tn_bench%' OR tenant = '${victim.tenant}' GROUP BY tenant`,
        )
      ).map(({ tenant, n }) => [tenant, Number(n)]),
    );
  const before = await counts();

  const api = pipeline.service("api").url;
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${api}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${victim.adminKey}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  };

  // Steadily and for as long as all this lasts: at full speed a backlog grows, and a deletion waits for all that was before it.
  const bodies = await makeBodies(100_000, perBody);
  const loader = createLoader(pipeline.target(), 64);
  let acked = 0;
  let over = false;
  const underWay = new Set<Promise<unknown>>();
  const sending = (async () => {
    const begun = performance.now();
    for (let sent = 0; !over; sent++) {
      const early = begun + ((sent * perBody) / rate) * 1_000 - performance.now();
      if (early > 0) await sleep(early);
      // Who is not answered in time sends less: that is what is looked for.
      while (underWay.size >= mostUnderWay) await Promise.race(underWay);
      const body = bodies[sent % bodies.length];
      if (body === undefined) throw new Error("no body");
      const one = sendAll(loader, [body], 1, (_, answer) => {
        acked += (JSON.parse(answer.text) as { accepted: number }).accepted;
      });
      underWay.add(one);
      void one.finally(() => underWay.delete(one)).catch(() => undefined);
    }
    await Promise.all(underWay);
  })();
  const { tenant } = pipeline.platform;
  const stretch = async (until: () => Promise<boolean>) => {
    const from = { at: performance.now(), acked, stored: await storedEvents(clickhouse, tenant) };
    while (!(await until())) await sleep(200);
    const seconds = (performance.now() - from.at) / 1_000;
    const stored = (await storedEvents(clickhouse, tenant)) - from.stored;
    return { seconds, acked: (acked - from.acked) / seconds, stored: stored / seconds };
  };
  const forMs = (ms: number) => {
    const end = performance.now() + ms;
    return async () => performance.now() >= end;
  };
  try {
    await stretch(forMs(stretchMs / 2));
    const quiet = await stretch(forMs(stretchMs));
    say("deleting");
    const { confirm } = await ask<{ confirm: string }>("POST", "/deletions/preview", { kind: "organization" });
    const { id } = await ask<{ id: string }>("POST", "/deletions", {
      ...{ kind: "organization", reason: "bench", confirm },
    });
    const deadline = performance.now() + mostMs;
    const during = await stretch(async () => {
      if (performance.now() > deadline) throw new Error("the deletion is not certified in time");
      return (await ask<{ certified: boolean }>("GET", `/deletions/${id}`)).certified;
    });
    const after = await stretch(forMs(stretchMs));
    over = true;
    await sending;
    const certificate = await ask<Certificate>("GET", `/deletions/${id}/certificate`);
    const list = await fetch(`${api}/api/v1/deletions/${id}/removed`, {
      headers: { authorization: `Bearer ${victim.adminKey}` },
    });
    const { problems } = checkCertificate(certificate, {
      publicKey: certificate.public_key,
      lines: (await list.text()).split("\n"),
    });
    const now = await counts();
    const changed = [...before].filter(([one, n]) => one !== victim.tenant && now.get(one) !== n).length;
    const left = now.get(victim.tenant) ?? 0;
    return {
      ...{ tenants, events: each * tenants, removed: (before.get(victim.tenant) ?? 0) - left, changed },
      problems: left === 0 ? problems : [...problems, `${left} of its events are still there`],
      ...{ certifiedSeconds: during.seconds, beforePerSecond: quiet.acked, duringPerSecond: during.acked },
      ...{ afterPerSecond: after.acked, storedBefore: quiet.stored, storedDuring: during.stored },
    };
  } finally {
    over = true;
    loader.close();
    await sending.catch(() => undefined);
    clickhouse.close();
  }
};
