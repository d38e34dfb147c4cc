/**
 * Fields that go before their event does, in tenants' own buckets: an object that holds what is due is made anew without it,
 * by the same changes as a deletion's, and then looked at again. Objects never change, so one that held nothing due is not
 * read again until a rule or the day changes that. One bucket that is away keeps no other from its turn.
 */
import { type ArchivedObject, type Log, listArchive } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import {
  dayNumber,
  dayText,
  fieldConditions,
  fieldRulesOf,
  fieldVersion,
  mostDays,
  type TenantPolicy,
} from "@astralog/schemas/retention/index";
import { earliestReceipt, type OpenBucket, piecesOf, told } from "./buckets.ts";
import { addTo, type FieldsPlace } from "./places.ts";

const mostRounds = 3;

export const createBucketFields = (deps: { buckets(): OpenBucket[]; log: Log }): FieldsPlace => {
  const { buckets, log } = deps;
  /** By connection and object. */
  let clean = new Map<string, { readonly by: string; readonly until: number }>();
  let seen = new Set<string>();

  /** Of one source: what is due there; with `change`, it is emptied. */
  const lookAt = async (one: OpenBucket, policy: TenantPolicy, all: readonly ArchivedObject[], now: number) => {
    const [{ source } = { source: "" }] = all;
    const today = dayNumber(now);
    const days = fieldRulesOf(policy, source).map((rule) => rule.days ?? mostDays);
    const [least, most] = [Math.min(...days), Math.max(...days)];
    const by = fieldVersion(policy, source, now);
    const keyOf = (name: string): string => `${one.connection.id}/${name}`;
    const { params, bind } = createBinder("f");
    const conditions = fieldConditions(policy, source, bind, { now, today });
    if (conditions === undefined) return { found: 0, held: 0, change: async () => undefined };
    for (const { name } of all) seen.add(keyOf(name));
    const may = all.filter(({ name, day }) => {
      const known = clean.get(keyOf(name));
      return earliestReceipt(day) + least < today && !(known?.by === by && today < known.until);
    });
    const unknown = may.filter(({ name }) => !one.spans.has(name)).map(({ name }) => name);
    for (const [name, span] of await one.events.spans(unknown)) one.spans.set(name, span);
    const old = may.filter(({ name }) => (one.spans.get(name)?.first ?? today) + least < today);
    const names = old.map(({ name }) => name);
    const counts = await one.events.count(names, conditions.due, conditions.held, params);
    for (const name of names) {
      const last = one.spans.get(name)?.last ?? today;
      if (!counts.has(name))
        clean.set(keyOf(name), { by, until: last + most < today ? Number.POSITIVE_INFINITY : today + 1 });
    }
    const sum = (pick: "found" | "held"): number => [...counts.values()].reduce((n, counted) => n + counted[pick], 0);
    const due = `${conditions.due} AND NOT ${conditions.held}`;
    const change = async (): Promise<void> => {
      const going = old.filter(({ name }) => (counts.get(name)?.found ?? 0) > 0);
      for (const piece of piecesOf(going, one.mostBytes)) {
        const [first] = piece;
        if (first === undefined) continue;
        const removed = piece.map(({ name }) => name);
        const make = () => one.events.changed(removed, due, conditions.columns, params);
        const why = `fields:${dayText(today)}`;
        await one.changes.make({ why, removed, put: { day: first.day, source: first.source, make } });
      }
    };
    return { found: sum("found"), held: sum("held"), change };
  };

  const sweepOne = async (one: OpenBucket, policy: TenantPolicy, now: number) => {
    let removed = 0;
    for (let round = 1; ; round++) {
      const all = await listArchive(one.bucket, { sources: "all" });
      let [overdue, held] = [0, 0];
      for (const mine of Map.groupBy(all, ({ source }) => source).values()) {
        const looked = await lookAt(one, policy, mine, now);
        overdue += looked.found;
        held += looked.held;
        if (round < mostRounds) await looked.change();
      }
      if (overdue === 0 || round === mostRounds) return { removed, overdue, held };
      removed += overdue;
    }
  };

  return {
    name: "bucket_fields",
    sweep: async (policies, now) => {
      const removed = new Map<string, number>();
      const details: string[] = [];
      const sum = { looked: 0, overdue: 0, held: 0 };
      seen = new Set();
      for (const one of buckets()) {
        const policy = policies.of(one.connection.tenant);
        if (policy === undefined || !policy.rules.some(({ kind }) => kind === "drop_fields")) continue;
        try {
          const swept = await sweepOne(one, policy, now);
          sum.looked += 1;
          addTo(removed, one.connection.tenant, swept.removed);
          sum.overdue += swept.overdue;
          sum.held += swept.held;
        } catch (error) {
          const { id } = one.connection;
          log.warn(
            { connection: id, problem: told(error) },
            "fields could not be dropped in a bucket; it is tried again",
          );
          details.push(`${id} could not be looked through`);
        }
      }
      clean = new Map([...clean].filter(([key]) => seen.has(key)));
      return {
        ...sum,
        removed,
        detail: details.join("; ") || `${sum.looked} buckets of organizations that drop fields`,
      };
    },
  };
};
