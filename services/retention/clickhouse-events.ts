/**
 * The table of events. A part holds one day of expiry, as each source's days were when its events came; so what is over
 * is whole parts, and those are dropped, which rewrites nothing. A part is rewritten only where what is over shares it
 * with what is not: after days were shortened, where rules keep some of it longer or shorter, and for deletions.
 *
 * A part never changes under its name. So a part that was looked through may be dropped by its name without anything in
 * it that was not looked at: were it merged meanwhile, the name would be gone, and it is looked through again.
 */
import type { Log } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { dayNumber, daysOfSource, dayText, deletionSql, sourceConditions } from "@astralog/schemas/retention/index";
import { type ClickHouse, isGonePart } from "./clickhouse.ts";
import type { RetentionMetrics } from "./metrics.ts";
import { addTo, expiredRemoval, type Place, type Policies, type Swept, total } from "./places.ts";
import type { Rehydrations } from "./rehydrations.ts";
import type { Removals } from "./removals.ts";

interface Group {
  readonly part: string;
  readonly tenant: string;
  readonly source: string;
  /** Day of the oldest receipt in it. */
  readonly first: number;
  readonly total: number;
}

/** What is over of one source in one partition. */
interface Due {
  readonly tenant: string;
  readonly where: string;
  readonly params: Record<string, unknown>;
  readonly parts: ReadonlyMap<string, number>;
  readonly held: number;
}

interface Look {
  readonly looked: number;
  readonly due: readonly Due[];
  /** Parts of which everything is over. */
  readonly whole: ReadonlySet<string>;
}

/** A look may find what came while it was acted on; what is left after so many is told as overdue. */
const mostRounds = 4;
/** Sources that one rewriting is about; the rest is for the next round. */
const sourcesAtOnce = 100;

interface Day {
  /** Days since the epoch. */
  readonly today: number;
  /** Seconds: what was stored before is there with its ledger row. */
  readonly settledAt: number;
}

export const createEventsPlace = (deps: {
  clickhouse: Pick<ClickHouse, "rows" | "command">;
  removals: Removals;
  rehydrations: Pick<Rehydrations, "kindOf" | "again">;
  metrics: RetentionMetrics;
  log: Log;
  settleSeconds: number;
}): Place => {
  const { clickhouse, removals, rehydrations, metrics, log, settleSeconds } = deps;

  const events = { table: "events", index: "idx", time: "received_at" } as const;
  const inPartition = (expires: number): string => `expires_on = toDate(${expires})`;

  /** Undefined when nothing of these is over. Each is the groups of one source, with the time they must be stored since. */
  const dueOf = async (
    policies: Policies,
    groups: readonly Group[],
    expires: number,
    { today, settledAt }: Day,
  ): Promise<Due | undefined> => {
    const [{ tenant, source } = { tenant: "", source: "" }] = groups;
    const policy = policies.of(tenant);
    const days = policy === undefined ? undefined : daysOfSource(policy, source);
    // Of what is not known any more, what was said at its receipt counts.
    const over = days === undefined ? expires < today : groups.some(({ first }) => first + days.least < today);
    if (!over) return undefined;
    const { params, bind } = createBinder("d");
    const mine = `tenant = ${bind("String", tenant)} AND source = ${bind("String", source)}
      AND inserted_at < toDateTime(${bind("Int64", settledAt)}, 'UTC')`;
    const conditions =
      policy === undefined || days === undefined ? undefined : sourceConditions(policy, source, bind, Date.now());
    const due = conditions?.due(today) ?? "1";
    const held = conditions?.held ?? "0";
    const rows = await clickhouse.rows<{ part: string; due: number; held: number }>(
      `SELECT _part AS part, countIf(${due} AND NOT ${held}) AS due, countIf(${due} AND ${held}) AS held
       FROM events WHERE ${inPartition(expires)} AND ${mine} GROUP BY part`,
      params,
    );
    return {
      ...{ tenant, where: `${mine} AND ${due} AND NOT ${held}`, params },
      parts: new Map(rows.filter((row) => row.due > 0).map((row) => [row.part, row.due])),
      held: rows.reduce((sum, row) => sum + row.held, 0),
    };
  };

  const look = async (policies: Policies, expires: number, day: Day): Promise<Look> => {
    const groups = await clickhouse.rows<Group>(
      `SELECT _part AS part, tenant, source, toUInt32(toDate(min(received_at))) AS first, count() AS total
       FROM events WHERE ${inPartition(expires)} GROUP BY part, tenant, source`,
    );
    const due: Due[] = [];
    for (const mine of Map.groupBy(groups, ({ tenant, source }) => `${tenant}/${source}`).values()) {
      const found = await dueOf(policies, mine, expires, day);
      if (found !== undefined) due.push(found);
    }
    const over = new Map<string, number>();
    for (const { parts } of due) for (const [part, count] of parts) addTo(over, part, count);
    const rows = new Map<string, number>();
    for (const { part, total } of groups) addTo(rows, part, total);
    return {
      looked: total(rows),
      due,
      whole: new Set([...rows].flatMap(([part, count]) => (over.get(part) === count ? [part] : []))),
    };
  };

  /** False when the part is gone by itself, merged with another. */
  const dropPart = async (part: string, expires: number, removal: string): Promise<boolean> => {
    await removals.write(removal, {
      ...events,
      where: `${inPartition(expires)} AND _part = {part:String}`,
      params: { part },
    });
    // A part's name is ClickHouse's own: letters, digits and _.
    try {
      await clickhouse.command(`ALTER TABLE events DROP PART '${part.replace(/[^\w-]/g, "")}'`);
      return true;
    } catch (error) {
      if (isGonePart(error)) return false;
      throw error;
    }
  };

  /** Nothing inserted so long ago can still come, so the rows that are written down are those that go. */
  const rewrite = async (due: readonly Due[], expires: number, removal: string): Promise<void> => {
    const params: Record<string, unknown> = {};
    const conditions = due.map((one, i) => {
      // Each source's own parameters, under names that no other has.
      for (const [name, value] of Object.entries(one.params)) params[`${name}_${i}`] = value;
      return `(${one.where.replace(/\{(d\d+):/g, `{$1_${i}:`)})`;
    });
    const where = conditions.join(" OR ");
    await removals.write(removal, { ...events, where: `${inPartition(expires)} AND (${where})`, params });
    metrics.mutations.inc();
    await clickhouse.command(`ALTER TABLE events DELETE IN PARTITION '${dayText(expires)}' WHERE ${where}`, params);
    log.info({ expires_on: dayText(expires), sources: due.length }, "a day's partition was rewritten");
  };

  const sweepPartition = async (policies: Policies, expires: number, day: Day): Promise<Omit<Swept, "detail">> => {
    const removed = new Map<string, number>();
    const removal = expiredRemoval(dayText(day.today));
    for (let round = 1; ; round++) {
      const { looked, due, whole } = await look(policies, expires, day);
      const overdue = due.reduce((sum, { parts }) => sum + total(parts), 0);
      const held = due.reduce((sum, one) => sum + one.held, 0);
      if (overdue === 0 || round === mostRounds) return { looked: looked + total(removed), removed, overdue, held };
      for (const part of whole) {
        if (!(await dropPart(part, expires, removal))) continue;
        for (const { tenant, parts } of due) addTo(removed, tenant, parts.get(part) ?? 0);
      }
      const shared = due
        .filter(({ parts }) => [...parts.keys()].some((part) => !whole.has(part)))
        .slice(0, sourcesAtOnce);
      if (shared.length > 0) await rewrite(shared, expires, removal);
      for (const { tenant, parts } of shared)
        for (const [part, count] of parts) if (!whole.has(part)) addTo(removed, tenant, count);
    }
  };

  /** What was brought back for a while lives as long as was said, whatever the rules are, and goes with its partition. */
  const sweepRehydrated = async (expires: number, day: Day): Promise<Omit<Swept, "detail">> => {
    const rows = await clickhouse.rows<{ tenant: string; count: number; newest: number }>(
      `SELECT tenant, count() AS count, toUInt32(max(inserted_at)) AS newest FROM events WHERE ${inPartition(expires)} GROUP BY tenant`,
    );
    const counts = new Map(rows.map(({ tenant, count }) => [tenant, count]));
    const kind = rehydrations.kindOf(expires);
    const left = kind === "live" || (kind === "unknown" && rows.some(({ newest }) => newest >= day.settledAt));
    if (!left) {
      await removals.write(expiredRemoval(dayText(day.today)), { ...events, where: inPartition(expires), params: {} });
      await clickhouse.command(`ALTER TABLE events DROP PARTITION '${dayText(expires)}'`);
    }
    return { looked: total(counts), removed: left ? new Map() : counts, overdue: 0, held: 0 };
  };

  return {
    name: "events",
    sweep: async (policies, now) => {
      const day = { today: dayNumber(now), settledAt: Math.floor(now / 1000) - settleSeconds };
      const partitions = await clickhouse.rows<{ expires: number }>(
        "SELECT toUInt32(expires_on) AS expires FROM events GROUP BY expires_on ORDER BY expires_on",
      );
      const removed = new Map<string, number>();
      const sum = { looked: 0, overdue: 0, held: 0 };
      for (const { expires } of partitions) {
        const rehydrated = rehydrations.kindOf(expires) !== undefined;
        const one = rehydrated ? await sweepRehydrated(expires, day) : await sweepPartition(policies, expires, day);
        for (const [tenant, count] of one.removed) {
          addTo(removed, tenant, count);
          if (!rehydrated) rehydrations.again(tenant);
        }
        sum.looked += one.looked;
        sum.overdue += one.overdue;
        sum.held += one.held;
      }
      return { ...sum, removed, detail: `${partitions.length} days of expiry` };
    },
    remove: async (deletion) => {
      const { params, bind } = createBinder("x");
      const scope = deletionSql(deletion, bind);
      const days = await clickhouse.rows<{ day: number }>(
        `SELECT toUInt32(expires_on) AS day FROM events WHERE ${scope} GROUP BY expires_on`,
        params,
      );
      if (days.length === 0) return;
      const where = {
        ...{ tenant: deletion.tenant, cut: deletion.cut, deletion: deletion.id },
        settled: Math.floor(Date.now() / 1000) - settleSeconds,
      };
      // A ledger row, or some time, says that all events of a record are there: only then is the set of those that go complete.
      await removals.write(deletion.id, {
        ...events,
        where: `${scope} AND (inserted_at < toDateTime({settled:Int64}, 'UTC')
          OR (topic, partition, offset) IN (SELECT topic, partition, offset FROM batches
            WHERE tenant = {tenant:String} AND least(received_at, inserted_at) < fromUnixTimestamp64Milli({cut:Int64}, 'UTC')))`,
        params: { ...params, ...where },
      });
      for (const { day } of days) {
        metrics.mutations.inc();
        await clickhouse.command(
          `ALTER TABLE events DELETE IN PARTITION '${dayText(day)}' WHERE ${scope} AND (topic, partition, offset) IN (
             SELECT topic, partition, offset FROM removals WHERE tenant = {tenant:String} AND removal = {deletion:String})`,
          { ...params, ...where },
        );
      }
    },
    rescan: async (deletion) => {
      const { params, bind } = createBinder("x");
      const [row] = await clickhouse.rows<{ found: number }>(
        `SELECT count() AS found FROM events WHERE ${deletionSql(deletion, bind)}`,
        params,
      );
      return {
        found: row?.found ?? 0,
        removed: await removals.count(deletion.tenant, deletion.id),
        detail: "files of parts that were replaced are unlinked within minutes",
      };
    },
  };
};
