/** R12 and R25: what is removed hangs on the day of receipt alone, and while it is removed more of it may come. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ClickHouse, numberIn } from "../clickhouse.ts";
import type { Fault, FaultContext } from "../fault.ts";
import type { Pipeline } from "../pipeline.ts";

/** Sweeps without a rest, and of what has only just been stored. */
const sweeping = async () => ({
  env: { retention: { SWEEP_SECONDS: "1", SETTLE_SECONDS: "0", IN_FLIGHT_MS: "200" } },
  close: async () => {},
});

/** Waits for whole sweeps that began from now on. Undefined when none came. */
const sweptFrom = async (clickhouse: ClickHouse, patienceMs: number): Promise<{ overdue: number } | undefined> => {
  const began = Date.now();
  const where = `tenant = '' AND began_at > fromUnixTimestamp64Milli(${began}, 'UTC')`;
  while (Date.now() - began < patienceMs) {
    if ((await numberIn(clickhouse, `SELECT uniqExact(place) FROM sweeps WHERE ${where}`)) >= 5)
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
      // Through every further look.
      await pipeline.service("retention").kill("SIGKILL");
      await pipeline.start("retention");
      await judgeSweep({ clickhouse, broken });
      const left = await numberIn(clickhouse, `SELECT count() FROM events WHERE ${tenant}`);
      if (left !== wanted) broken(`${left} of ${wanted} are left after sweeps`);
    },
  };
};

const lateEvents = 500;

/** R25: a backfill of days that are over arrives while they are removed, and the remover is killed: none stays, none too many goes. */
const lateBackfill = (): Fault => {
  let rounds = 0;
  const tenant = "tn_backfill";
  return {
    id: "R25",
    title: "a backfill of expired days arrives while retention runs and is killed",
    rig: sweeping,
    run: async ({ clickhouse, scaled, restart, note }) => {
      /** Received 40 days ago, to be kept for `days`. */
      const plant = async (offset: number, days: number): Promise<void> => {
        const at = "toDateTime64(toDate(now('UTC')) - 40, 3, 'UTC') + INTERVAL 13 HOUR";
        await clickhouse.run(`INSERT INTO events SELECT '${tenant}', 'src_backfill', toDateTime64(${at}, 9, 'UTC'), ${at},
          toDate(${at}) + ${days}, 9, 'svc', 'h', 'late', '', '', '', map(), 'backfill', 0, ${offset}, number, now()
          FROM numbers(${lateEvents})`);
        await clickhouse.run(`INSERT INTO batches (topic, partition, offset, tenant, source, received_at, accepted, stored, inserted_at)
          SELECT 'backfill', 0, ${offset}, '${tenant}', 'src_backfill', ${at}, ${lateEvents}, ${lateEvents}, now64(3)`);
      };
      const all = scaled(120, 6);
      for (rounds = 0; rounds < all; rounds++) {
        await plant(rounds * 2, 30);
        await plant(rounds * 2 + 1, 60);
        if (rounds % Math.ceil(all / 3) === 1) await restart("retention", "SIGKILL");
        await sleep(100);
      }
      note(`${rounds * lateEvents} events whose day was over, and as many that have days left, in ${rounds} rounds`);
    },
    after: async ({ clickhouse, broken, note }) => {
      const expired = `tenant = '${tenant}' AND expires_on < toDate(now('UTC'))`;
      for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(200))
        if ((await numberIn(clickhouse, `SELECT count() FROM events WHERE ${expired}`)) === 0) break;
      await judgeSweep({ clickhouse, broken });
      const zombies = await numberIn(clickhouse, `SELECT count() FROM events WHERE ${expired}`);
      if (zombies > 0) broken(`${zombies} events outlive their day`);
      const kept = await numberIn(
        clickhouse,
        `SELECT uniqExact(offset, idx) FROM events WHERE tenant = '${tenant}' AND NOT (${expired})`,
      );
      if (kept !== rounds * lateEvents)
        broken(`${kept} of ${rounds * lateEvents} events that have days left are there`);
      const written = await numberIn(
        clickhouse,
        `SELECT sum(bitmapCardinality(gone)) FROM (SELECT groupBitmapMergeState(indexes) AS gone FROM removals
          WHERE tenant = '${tenant}' GROUP BY topic, partition, offset)`,
      );
      if (written !== rounds * lateEvents) broken(`${written} of ${rounds * lateEvents} removals are written down`);
      note(`${written} removed and written down, ${kept} kept`);
    },
  };
};

export const retentionTimes: readonly Fault[] = [clockSkew(), lateBackfill()];
