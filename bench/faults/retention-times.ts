/** R12 and R25: what is removed hangs on the day of receipt alone, and while it is removed more of it may come. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FirstTenant } from "@astralog/local";
import { type ClickHouse, numberIn } from "../clickhouse.ts";
import type { Fault, FaultContext } from "../fault.ts";
import type { Pipeline } from "../pipeline.ts";

/** Sweeps without a rest, and soon after something is stored: it settles for as long as an insert may take here. */
const sweeping = async () => ({
  env: { retention: { SWEEP_SECONDS: "1", SETTLE_SECONDS: "5", IN_FLIGHT_MS: "200" } },
  close: async () => {},
});

/** Waits for whole sweeps that began from now on. Undefined when none came. */
const sweptFrom = async (clickhouse: ClickHouse, patienceMs: number): Promise<{ overdue: number } | undefined> => {
  const began = Date.now();
  const where = `tenant = '' AND began_at > fromUnixTimestamp64Milli(${began}, 'UTC')`;
  while (Date.now() - began < patienceMs) {
    if ((await numberIn(clickhouse, `SELECT uniqExact(place) FROM sweeps WHERE ${where}`)) >= 6)
      return { overdue: await numberIn(clickhouse, `SELECT sum(overdue) FROM sweeps WHERE ${where}`) };
    await sleep(200);
  }
  return undefined;
};
const patienceMs = 90_000;

const judgeSweep = async ({ clickhouse, broken }: Pick<FaultContext, "clickhouse" | "broken">): Promise<void> => {
  const swept = await sweptFrom(clickhouse, patienceMs);
  if (swept === undefined) broken("no sweep came to an end");
  else if (swept.overdue > 0) broken(`${swept.overdue} events are overdue after a sweep`);
};

const day = 86_400_000;
const nanosOf = (millis: number, more = 0n): string => `${BigInt(millis) * 1_000_000n + more}`;
/** As clients write it, and the nanoseconds that it means. */
const times = (now: number): readonly (readonly [given: string, nanos: string])[] => [
  ['"1970-01-01T00:00:01Z"', nanosOf(1_000)],
  ['"1969-07-20T20:17:40.000000001Z"', nanosOf(Date.parse("1969-07-20T20:17:40Z"), 1n)],
  ['"1900-01-01T00:00:00Z"', nanosOf(Date.UTC(1900, 0, 1))],
  ['"2262-04-11T23:47:16.854775807Z"', `${2n ** 63n - 1n}`],
  ['"2016-12-31T23:59:60Z"', nanosOf(Date.UTC(2017, 0, 1))],
  // In a spring hour that clocks of half of Europe leave out.
  ['"2026-03-29T02:30:00+01:00"', nanosOf(Date.parse("2026-03-29T01:30:00Z"))],
  ["1700000000", nanosOf(1_700_000_000_000)],
  ["1700000000123", nanosOf(1_700_000_000_123)],
  ["1700000000123456", nanosOf(1_700_000_000_123, 456_000n)],
  ["1700000000123456789", nanosOf(1_700_000_000_123, 456_789n)],
  [`"${new Date(now - day).toISOString()}"`, nanosOf(now - day)],
  [`"${new Date(now + day).toISOString()}"`, nanosOf(now + day)],
  [`"${new Date(now + 400 * day).toISOString()}"`, nanosOf(now + 400 * day)],
];

/** R12: clocks that are a day off, and times from 1900 to 2262 in every unit, are kept, and nothing of them is removed early or kept long. */
const clockSkew = (): Fault => {
  let skewed: Pipeline | undefined;
  let sent = new Map<string, number>();
  let [first, last] = [0, 0];
  return {
    id: "R12",
    title: "clocks a day off, and times from 1900 to 2262, under sweeps",
    rig: sweeping,
    run: async ({ pipeline, scaled, broken, note }) => {
      skewed = await pipeline.anew("r12");
      const { ingestKey } = skewed.platform;
      sent = new Map();
      first = Date.now();
      const rounds = scaled(400, 8);
      for (let round = 0; round < rounds; round++) {
        const all = times(first);
        const body = `[${all.map(([given]) => `{"message":"whenever","timestamp":${given}}`).join(",")}]`;
        const answer = await fetch(`${pipeline.service("receiver").url}/v1/events`, {
          method: "POST",
          headers: { authorization: `Bearer ${ingestKey}`, "content-type": "application/json" },
          body,
        });
        if (!answer.ok) return broken(`a batch of such times is answered with ${answer.status}`);
        for (const [, nanos] of all) sent.set(nanos, (sent.get(nanos) ?? 0) + 1);
        await sleep(50);
      }
      last = Date.now();
      note(`${rounds} batches of ${times(0).length} such times`);
    },
    after: async ({ pipeline, clickhouse, broken }) => {
      if (skewed === undefined) return;
      const tenant = `tenant = '${skewed.platform.tenant}'`;
      const wanted = [...sent.values()].reduce((sum, n) => sum + n, 0);
      for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(100))
        if ((await numberIn(clickhouse, `SELECT count() FROM events WHERE ${tenant}`)) >= wanted) break;
      await judgeSweep({ clickhouse, broken });
      const rows = await clickhouse.rows<{ at: string; n: string }>(
        `SELECT toString(toUnixTimestamp64Nano(timestamp)) AS at, count() AS n FROM events WHERE ${tenant} GROUP BY at`,
      );
      const found = new Map(rows.map(({ at, n }) => [at, Number(n)]));
      for (const [at, n] of sent)
        if (found.get(at) !== n) broken(`of ${n} events at ${at} ns ${found.get(at) ?? 0} are stored with their time`);
      if (found.size !== sent.size) broken(`there are ${found.size} different times instead of ${sent.size}`);
      const strange = await numberIn(
        clickhouse,
        `SELECT count() FROM events WHERE ${tenant} AND (toUnixTimestamp64Milli(received_at) NOT BETWEEN ${first} AND ${last}
          OR expires_on != toDate(received_at) + 30)`,
      );
      if (strange > 0) broken(`${strange} events have another time of receipt or expiry than they should`);
      // The same, received 31 days ago: whatever their time is, now they go.
      const aged = `tenant = '${skewed.platform.tenant}' AND topic = 'aged'`;
      await clickhouse.run(`INSERT INTO events SELECT * REPLACE (received_at - INTERVAL 31 DAY AS received_at, expires_on - 31 AS expires_on,
        'aged' AS topic, now() AS inserted_at) FROM events WHERE ${tenant}`);
      for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(200))
        if ((await numberIn(clickhouse, `SELECT count() FROM events WHERE ${aged}`)) === 0) break;
      const outlived = await numberIn(clickhouse, `SELECT count() FROM events WHERE ${aged}`);
      if (outlived > 0) broken(`${outlived} of ${wanted} events received 31 days ago outlive their 30 days`);
      const gone = await numberIn(
        clickhouse,
        `SELECT sum(bitmapCardinality(gone)) FROM (SELECT groupBitmapMergeState(indexes) AS gone FROM removals
          WHERE ${aged} GROUP BY topic, partition, offset)`,
      );
      if (gone !== wanted) broken(`${gone} of ${wanted} removals are written down`);
      // Through every further look.
      await pipeline.service("retention").kill("SIGKILL");
      await pipeline.start("retention");
      await judgeSweep({ clickhouse, broken });
      const left = await numberIn(clickhouse, `SELECT count() FROM events WHERE ${tenant}`);
      if (left !== wanted) broken(`${left} of ${wanted} are left after sweeps`);
    },
  };
};

/** In each record of the backfill. */
const lateEvents = 200;
const late = "backfill";

/**
 * Events that were received so long ago and are stored only now, as by a sink that was away: of the source, which keeps 30
 * days, and of another that is not known any more. Each round brings a day that is over as a whole, and one insert into a day
 * in which what is over (its source kept more when it was stored) shares the part with what is not.
 */
const plantLate = async (clickhouse: ClickHouse, mine: FirstTenant, round: number): Promise<void> => {
  const kinds = [
    { ago: 31, kept: 30, tenant: mine.tenant, source: mine.source },
    { ago: 31, kept: 45, tenant: mine.tenant, source: mine.source },
    { ago: 29, kept: 43, tenant: mine.tenant, source: mine.source },
    { ago: 31, kept: 45, tenant: "tn_backfill", source: "src_gone" },
  ];
  const rows = kinds.map(({ ago, kept, tenant, source }, kind) => {
    const day = `toDate(now('UTC')) - ${ago}`;
    return `SELECT '${tenant}' AS tenant, '${source}' AS source, toDateTime64(${day}, 3, 'UTC') + INTERVAL 13 HOUR AS at,
      toDate(${day}) + ${kept} AS expires, ${round * kinds.length + kind} AS offset`;
  });
  const records = rows.join(" UNION ALL ");
  await clickhouse.run(`INSERT INTO events SELECT tenant, source, toDateTime64(at, 9, 'UTC'), at, expires, 9, 'svc', 'h', 'late', '', '', '',
    map(), '${late}', 0, offset, number, now() FROM (${records}) AS records CROSS JOIN numbers(${lateEvents}) AS events`);
  await clickhouse.run(`INSERT INTO batches (topic, partition, offset, tenant, source, received_at, accepted, stored, inserted_at)
    SELECT '${late}', 0, offset, tenant, source, at, ${lateEvents}, ${lateEvents}, now64(3) FROM (${records})`);
};
/** Of each round the first two records are over. */
const isOver = "offset % 4 < 2";

/** R25: a backfill of days that are over arrives while they are removed, and the remover is killed: none stays, none too many goes. */
const lateBackfill = (): Fault => {
  let rounds = 0;
  return {
    id: "R25",
    title: "a backfill of expired days arrives while retention runs and is killed",
    rig: sweeping,
    run: async ({ pipeline, clickhouse, scaled, restart, note }) => {
      const { platform: mine } = await pipeline.anew("r25");
      const all = scaled(120, 6);
      const kills = new Set([1, 2, 3, 4].map((n) => Math.floor((n * all) / 5)));
      for (rounds = 0; rounds < all; rounds++) {
        await plantLate(clickhouse, mine, rounds);
        if (kills.has(rounds)) await restart("retention", "SIGKILL");
        await sleep(200);
      }
      note(
        `${rounds * 2 * lateEvents} events whose time was over, and as many that have days left, in ${rounds} rounds`,
      );
      note(`retention was killed ${kills.size} times`);
    },
    after: async ({ clickhouse, broken, note }) => {
      const left = (which: string): Promise<number> =>
        numberIn(clickhouse, `SELECT count() FROM events WHERE topic = '${late}' AND ${which}`);
      for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(200))
        if ((await left(isOver)) === 0) break;
      await judgeSweep({ clickhouse, broken });
      const zombies = await left(isOver);
      if (zombies > 0) broken(`${zombies} events outlive their day`);
      const kept = await left(`NOT (${isOver})`);
      if (kept !== rounds * 2 * lateEvents)
        broken(`${kept} of ${rounds * 2 * lateEvents} events that have days left are there`);
      // As verify asks it: each index that the ledger calls stored is there or written down as removed, and none is both.
      const [account] = await clickhouse.rows<{ records: string; wrong: string; removed: string }>(
        `SELECT count() AS records, countIf(explained != stored OR there + gone != stored) AS wrong, sum(gone) AS removed FROM (
           SELECT topic, partition, offset, groupBitmapMerge(indexes) AS explained, groupBitmapMergeIf(indexes, present) AS there,
             groupBitmapMergeIf(indexes, NOT present) AS gone FROM (
             SELECT topic, partition, offset, groupBitmapState(idx) AS indexes, true AS present FROM events GROUP BY ALL
             UNION ALL
             SELECT topic, partition, offset, groupBitmapMergeState(indexes), false FROM removals GROUP BY ALL)
           WHERE topic = '${late}' GROUP BY ALL) AS seen
         RIGHT JOIN (SELECT topic, partition, offset, stored FROM batches FINAL WHERE topic = '${late}') AS ledger USING (topic, partition, offset)`,
      );
      if (Number(account?.records) !== rounds * 4)
        broken(`the ledger has ${account?.records} of ${rounds * 4} records`);
      if (Number(account?.wrong) > 0)
        broken(`${account?.wrong} records are not explained by what is there and what was removed`);
      if (Number(account?.removed) !== rounds * 2 * lateEvents)
        broken(`${account?.removed} of ${rounds * 2 * lateEvents} removals are written down`);
      note(`${account?.removed} removed and written down, ${kept} kept`);
    },
  };
};

export const retentionTimes: readonly Fault[] = [clockSkew(), lateBackfill()];
