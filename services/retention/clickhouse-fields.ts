/**
 * Fields that go before their event does, in the table of events. A day's partition is looked through first, and rewritten
 * where something is there that is due: once for all organizations and rules together, and then looked through again. What
 * is emptied is found by no look, so whoever is killed begins again.
 *
 * A part never changes under its name: one that held nothing due is not read again until a rule or the day changes that.
 */
import type { Log } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import {
  dayNumber,
  dayText,
  type FieldConditions,
  fieldConditions,
  fieldRulesOf,
  fieldVersion,
  mostDays,
  type TenantPolicy,
} from "@astralog/schemas/retention/index";
import type { ClickHouse } from "./clickhouse.ts";
import type { RetentionMetrics } from "./metrics.ts";
import { addTo, type FieldsPlace, type Policies } from "./places.ts";

/** Of one source in one part. */
interface Group {
  readonly part: string;
  readonly tenant: string;
  readonly source: string;
  /** Days of the oldest and the newest receipt in it. */
  readonly first: number;
  readonly last: number;
  /** Seconds: when the newest of it was stored. */
  readonly stored: number;
}

/** What is due of one source in one partition. */
interface Due {
  readonly tenant: string;
  /** Its rows, and none of another's. */
  readonly mine: string;
  readonly settled: string;
  readonly conditions: FieldConditions;
  readonly params: Record<string, unknown>;
  readonly count: number;
}

interface Look {
  readonly looked: number;
  readonly held: number;
  readonly gone: boolean;
  readonly due: readonly Due[];
}

/** What is stored while one looks may be found by the next look; what is left after so many is told as overdue. */
const mostRounds = 4;
/** Letters of conditions in one statement. Only where the rules together have more, a partition is rewritten once more. */
const mostText = 200_000;

interface Day {
  /** Days since the epoch. */
  readonly today: number;
  readonly now: number;
  /** Seconds: what was stored before is looked at. */
  readonly settledAt: number;
}

export const createEventFields = (deps: {
  clickhouse: ClickHouse;
  metrics: Pick<RetentionMetrics, "mutations">;
  log: Log;
  settleSeconds: number;
}): FieldsPlace => {
  const { clickhouse, metrics, log, settleSeconds } = deps;
  /** What was found to hold nothing that is due: by what conditions, and until which day. */
  let clean = new Map<string, { readonly by: string; readonly until: number }>();
  let seen = new Set<string>();

  const inPartition = (expires: number): string => `expires_on = toDate(${expires})`;
  const keyOf = ({ part, tenant, source }: Group): string => `${part}/${tenant}/${source}`;

  /** Undefined where nothing may be due. `gone`: a part went while it was looked at, merged into another. */
  const lookAt = async (
    policy: TenantPolicy,
    mine: readonly Group[],
    expires: number,
    { day: { today, now, settledAt }, number }: { day: Day; number: number },
  ): Promise<(Due & { readonly held: number; readonly gone: boolean }) | undefined> => {
    const [{ tenant, source } = { tenant: "", source: "" }] = mine;
    const days = fieldRulesOf(policy, source).map((rule) => rule.days ?? mostDays);
    const [least, most] = [Math.min(...days), Math.max(...days)];
    const by = fieldVersion(policy, source, now);
    const open = mine.filter((group) => {
      const known = clean.get(keyOf(group));
      return group.first + least < today && !(known?.by === by && today < known.until);
    });
    const { params, bind } = createBinder(`f${number}x`);
    const conditions = fieldConditions(policy, source, bind, { now, today });
    if (open.length === 0 || conditions === undefined) return undefined;
    const owner = `tenant = ${bind("String", tenant)} AND source = ${bind("String", source)}`;
    const settled = `inserted_at < toDateTime(${bind("Int64", settledAt)}, 'UTC')`;
    const rows = await clickhouse.rows<{ part: string; due: number; held: number }>(
      `SELECT _part AS part, countIf(${settled} AND ${conditions.due} AND NOT ${conditions.held}) AS due,
         countIf(${settled} AND ${conditions.due} AND ${conditions.held}) AS held
       FROM events WHERE ${inPartition(expires)} AND _part IN {parts:Array(String)} AND ${owner} GROUP BY part`,
      { ...params, parts: open.map(({ part }) => part) },
    );
    const found = new Map(rows.map((row) => [row.part, row]));
    for (const group of open) {
      const counted = found.get(group.part);
      if (counted === undefined || counted.due > 0 || counted.held > 0 || group.stored >= settledAt) continue;
      clean.set(keyOf(group), { by, until: group.last + most < today ? Number.POSITIVE_INFINITY : today + 1 });
    }
    const sum = (pick: "due" | "held"): number => rows.reduce((all, row) => all + row[pick], 0);
    const gone = rows.length < open.length;
    return { tenant, mine: owner, settled, conditions, params, count: sum("due"), held: sum("held"), gone };
  };

  const look = async (policies: ReadonlyMap<string, TenantPolicy>, expires: number, day: Day): Promise<Look> => {
    const groups = await clickhouse.rows<Group & { readonly rows: number }>(
      `SELECT _part AS part, tenant, source, toUInt32(toDate(min(received_at))) AS first,
         toUInt32(toDate(max(received_at))) AS last, toUInt32(max(inserted_at)) AS stored, count() AS rows
       FROM events WHERE ${inPartition(expires)} AND tenant IN {tenants:Array(String)} GROUP BY part, tenant, source`,
      { tenants: [...policies.keys()] },
    );
    const due: Due[] = [];
    let [looked, held, gone] = [0, 0, false];
    for (const mine of Map.groupBy(groups, ({ tenant, source }) => `${tenant}/${source}`).values()) {
      const [{ tenant, source } = { tenant: "", source: "" }] = mine;
      const policy = policies.get(tenant);
      if (policy === undefined || fieldRulesOf(policy, source).length === 0) continue;
      looked += mine.reduce((sum, { rows }) => sum + rows, 0);
      for (const group of mine) seen.add(keyOf(group));
      const found = await lookAt(policy, mine, expires, { day, number: due.length });
      if (found === undefined) continue;
      held += found.held;
      gone ||= found.gone;
      if (found.count > 0) due.push(found);
    }
    return { looked, held, gone, due };
  };

  const rewrite = async (due: readonly Due[], expires: number): Promise<void> => {
    const names = [...new Set(due.flatMap(({ conditions }) => Object.keys(conditions.columns)))];
    const updates = names.map((name) => {
      const branches = due.flatMap(({ mine, conditions }) =>
        conditions.columns[name] === undefined ? [] : [`${mine}, ${conditions.columns[name]}`],
      );
      return `${name} = multiIf(${branches.join(", ")}, ${name})`;
    });
    const where = due.map(
      ({ mine, settled, conditions }) => `(${mine} AND ${settled} AND ${conditions.due} AND NOT ${conditions.held})`,
    );
    metrics.mutations.inc();
    await clickhouse.command(
      `ALTER TABLE events UPDATE ${updates.join(", ")} IN PARTITION '${dayText(expires)}' WHERE ${where.join(" OR ")}`,
      Object.assign({}, ...due.map(({ params }) => params)),
    );
    log.info({ expires_on: dayText(expires), sources: due.length }, "fields were dropped from a day's partition");
  };

  /** As many at once as one statement can be about. */
  const piecesOf = (due: readonly Due[]): Due[][] => {
    const pieces: Due[][] = [];
    let size = Number.POSITIVE_INFINITY;
    for (const one of due) {
      const text = JSON.stringify(one.conditions).length;
      if (size + text > mostText) {
        pieces.push([]);
        size = 0;
      }
      pieces.at(-1)?.push(one);
      size += text;
    }
    return pieces;
  };

  return {
    name: "event_fields",
    sweep: async (policies: Policies, now) => {
      const day = { today: dayNumber(now), now, settledAt: Math.floor(now / 1000) - settleSeconds };
      const mine = new Map(
        policies
          .all()
          .filter(({ rules }) => rules.some(({ kind }) => kind === "drop_fields"))
          .map((policy) => [policy.tenant, policy]),
      );
      const removed = new Map<string, number>();
      const sum = { looked: 0, overdue: 0, held: 0 };
      if (mine.size === 0) {
        clean = new Map();
        return { ...sum, removed, detail: "no rule drops fields" };
      }
      const partitions = await clickhouse.rows<{ expires: number }>(
        "SELECT toUInt32(expires_on) AS expires FROM events GROUP BY expires_on ORDER BY expires_on",
      );
      seen = new Set();
      for (const { expires } of partitions)
        for (let round = 1; ; round++) {
          const { looked, held, gone, due } = await look(mine, expires, day);
          if ((due.length === 0 && !gone) || round === mostRounds) {
            sum.looked += looked;
            sum.held += held;
            sum.overdue += due.reduce((all, { count }) => all + count, 0);
            break;
          }
          for (const piece of piecesOf(due)) await rewrite(piece, expires);
          for (const { tenant, count } of due) addTo(removed, tenant, count);
        }
      clean = new Map([...clean].filter(([key]) => seen.has(key)));
      return { ...sum, removed, detail: `${partitions.length} days of expiry` };
    },
  };
};
