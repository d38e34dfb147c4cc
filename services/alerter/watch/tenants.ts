/** The rules of each tenant, compiled, and where its events lie. */
import type { ControlTable } from "@astralog/chassis";
import { nativePrefix, type SourceRecord, tenantPartitions, topics } from "@astralog/schemas";
import { type Counter, createCounter } from "@astralog/schemas/alerts/index";
import RE2 from "re2";
import type { ActiveRule, Rules } from "../rules.ts";

export interface CountedRule {
  readonly active: ActiveRule;
  readonly counter: Counter;
}

export interface Tenants {
  /** Partitions of events.clean that the tenant's events may lie in. */
  partitionsOf(tenant: string): ReadonlySet<number>;
  /** Rules whose events may lie in a partition. */
  rulesIn(partition: number): readonly CountedRule[];
  /** Raw lanes that go to a partition of events.clean, as `topic/partition` with the plain topic. */
  lanesOf(partition: number): readonly string[];
  /** Rules or sources changed. */
  changed(): void;
}

/** The engine that the server has: its time grows with the text, whatever the expression. */
const regex = (source: string): ((text: string) => boolean) => {
  const expression = new RE2(source, "u");
  return (text) => expression.test(text);
};

export const createTenants = (rules: Rules, sources: Pick<ControlTable<SourceRecord>, "values">): Tenants => {
  const total = topics.clean.partitions;
  const compiled = new Map<string, CountedRule>();
  const names = new Map<string, Map<string, string>>();
  let partitions = new Map<string, ReadonlySet<number>>();
  let byPartition = new Map<number, CountedRule[]>();
  let lanes = new Map<number, string[]>();
  let stale = true;

  const namesOf = (tenant: string): Map<string, string> => {
    let known = names.get(tenant);
    if (known === undefined) names.set(tenant, (known = new Map()));
    return known;
  };

  const readSources = (): Map<string, { widest: number; native: Set<number> }> => {
    const wide = new Map<string, { widest: number; native: Set<number> }>();
    lanes = new Map(Array.from({ length: total }, (_, partition) => [partition, [`${topics.raw.name}/${partition}`]]));
    for (const known of names.values()) known.clear();
    for (const one of sources.values()) {
      namesOf(one.tenant).set(one.source, one.name);
      const of = wide.get(one.tenant) ?? { widest: 1, native: new Set() };
      of.widest = Math.max(of.widest, one.partitions);
      for (const [from, to] of one.native_partitions.entries()) {
        of.native.add(to);
        lanes.get(to)?.push(`${nativePrefix}${one.source}/${from}`);
      }
      wide.set(one.tenant, of);
    }
    return wide;
  };

  const compile = (active: ActiveRule): CountedRule => {
    const known = compiled.get(active.key);
    if (known?.active === active) return known;
    const context = { sources: namesOf(active.tenant), regex };
    const fresh = { active, counter: createCounter(active.definition, active.effectiveFrom, context) };
    compiled.set(active.key, fresh);
    return fresh;
  };

  const refresh = (): void => {
    if (!stale) return;
    stale = false;
    const wide = readSources();
    partitions = new Map();
    byPartition = new Map();
    const seen = new Set<string>();
    for (const active of rules.values()) {
      if (active.problem !== "") continue;
      seen.add(active.key);
      const rule = compile(active);
      const { widest = 1, native = [] } = wide.get(active.tenant) ?? {};
      const among =
        partitions.get(active.tenant) ?? new Set([...tenantPartitions(active.tenant, widest, total), ...native]);
      partitions.set(active.tenant, among);
      for (const partition of among) {
        const list = byPartition.get(partition);
        if (list === undefined) byPartition.set(partition, [rule]);
        else list.push(rule);
      }
    }
    for (const key of compiled.keys()) if (!seen.has(key)) compiled.delete(key);
  };

  return {
    partitionsOf: (tenant) => {
      refresh();
      return partitions.get(tenant) ?? new Set();
    },
    rulesIn: (partition) => {
      refresh();
      return byPartition.get(partition) ?? [];
    },
    lanesOf: (partition) => {
      refresh();
      return lanes.get(partition) ?? [];
    },
    changed: () => {
      stale = true;
    },
  };
};
