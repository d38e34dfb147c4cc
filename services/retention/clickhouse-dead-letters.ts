/**
 * Dead letters. Their payload is sealed, so no query can be asked of them: each is kept as long as any event of its source
 * may be, a hold on some of a source keeps all of its letters, and a deletion takes all that may be in its scope.
 */
import { createBinder } from "@astralog/schemas/query/index";
import { dayNumber, daysOfSource, dayText, deadDeletionSql } from "@astralog/schemas/retention/index";
import type { ClickHouse } from "./clickhouse.ts";
import { addTo, deadRemoval, expiredRemoval, type Place, type Policies } from "./places.ts";
import type { Removals } from "./removals.ts";

/** Days that a letter is kept whose source nobody knows. */
const unknownDays = 30;

interface Group {
  readonly tenant: string;
  readonly source: string;
  /** Of its oldest letter, days since the epoch. */
  readonly first: number;
  readonly letters: number;
}

// -1 stands for a whole record.
const letters = { table: "dead_letters", index: "toUInt32(`index` + 1)", time: "died_at" } as const;

export const createDeadLettersPlace = (deps: {
  clickhouse: Pick<ClickHouse, "rows" | "command">;
  removals: Removals;
  settleSeconds: number;
}): Place => {
  const { clickhouse, removals, settleSeconds } = deps;

  const settled = `inserted_at < now64(3) - INTERVAL ${settleSeconds} SECOND`;

  const groups = (): Promise<Group[]> =>
    clickhouse.rows<Group>(
      `SELECT tenant, source, toUInt32(toDate(min(died_at))) AS first, count() AS letters FROM dead_letters FINAL
       WHERE ${settled} GROUP BY tenant, source`,
    );

  /** What is over, by source; `held` counts those that a hold keeps. */
  const look = async (policies: Policies, today: number) => {
    const all = await groups();
    const over: { tenant: string; source: string; before: number }[] = [];
    let held = 0;
    for (const { tenant, source, first, letters: count } of all) {
      const policy = policies.of(tenant);
      const days = policy === undefined ? undefined : daysOfSource(policy, source);
      const before = today - (days?.most ?? unknownDays);
      if (first >= before) continue;
      if (days !== undefined && days.held !== "none") held += count;
      else over.push({ tenant, source, before });
    }
    return { looked: all.reduce((sum, row) => sum + row.letters, 0), over, held };
  };

  const count = async (where: string, params: Record<string, unknown>): Promise<number> =>
    (await clickhouse.rows<{ n: number }>(`SELECT count() AS n FROM dead_letters FINAL WHERE ${where}`, params))[0]
      ?.n ?? 0;

  const removeThese = async (removal: string, where: string, params: Record<string, unknown>): Promise<void> => {
    await removals.write(deadRemoval(removal), { ...letters, where, params });
    await clickhouse.command(`ALTER TABLE dead_letters DELETE WHERE ${where}`, params);
  };

  return {
    name: "dead_letters",
    sweep: async (policies, now) => {
      const today = dayNumber(now);
      const seen = await look(policies, today);
      const removed = new Map<string, number>();
      for (const { tenant, source, before } of seen.over) {
        const { params, bind } = createBinder();
        const where = `tenant = ${bind("String", tenant)} AND source = ${bind("String", source)} AND toUInt32(toDate(died_at)) < ${before} AND ${settled}`;
        addTo(removed, tenant, await count(where, params));
        await removeThese(expiredRemoval(dayText(today)), where, params);
      }
      const after = await look(policies, today);
      return { looked: seen.looked, removed, overdue: after.over.length, held: seen.held, detail: "" };
    },
    remove: async (deletion) => {
      const { params, bind } = createBinder();
      const where = deadDeletionSql(deletion, bind);
      if ((await count(where, params)) > 0) await removeThese(deletion.id, where, params);
    },
    rescan: async (deletion) => {
      const { params, bind } = createBinder();
      return {
        found: await count(deadDeletionSql(deletion, bind), params),
        removed: await removals.count(deletion.tenant, deadRemoval(deletion.id)),
        detail: "sealed, so all of these sources that died before the cut, whatever a query would find",
      };
    },
  };
};
