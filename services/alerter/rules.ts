/** The rules that are in force, read from control.alert-rules and kept by tenant. */
import type { Log } from "@astralog/chassis";
import type { AlertRuleRecord } from "@astralog/schemas";
import { type Rule, type RuleVersion, readRule } from "@astralog/schemas/alerts/index";

export interface ActiveRule extends RuleVersion {
  /** tenant/rule */
  readonly key: string;
  readonly effectiveFrom: number;
  readonly definition: Rule;
  /** Why it cannot be judged here; empty of one that is. Of the others the definition says no more than whom to tell so. */
  readonly problem: string;
}

export interface Rules {
  change(key: string, record: AlertRuleRecord | undefined): void;
  get(key: string): ActiveRule | undefined;
  values(): Iterable<ActiveRule>;
  /** Grows with each change. */
  readonly revision: number;
}

/** What can be read of a rule that this version does not know. */
const unknownRule = (rule: string, given: Record<string, unknown>): Rule => {
  const { name, description, severity, labels, owners, runbook, notify } = given;
  const { query } = (given.when ?? {}) as { query?: unknown };
  const readings = [{ name, description, severity, labels, owners, runbook, notify }, { name, notify }, { name: rule }];
  for (const reading of readings.flatMap((one) => [
    { ...one, query },
    { ...one, query: "" },
  ])) {
    const { query: asked, ...rest } = reading;
    const read = readRule({ ...rest, id: rule, when: { type: "match", query: asked } });
    if ("rule" in read) return read.rule;
  }
  throw new Error(`${rule} is no rule's id`);
};

/** `changed` is called with each rule that came, changed or went. */
export const createRules = (log: Log, changed: () => void): Rules => {
  const rules = new Map<string, ActiveRule>();
  let revision = 0;

  const read = (key: string, record: AlertRuleRecord): ActiveRule => {
    const { tenant, rule, version, definition } = record;
    const given = JSON.parse(definition) as Record<string, unknown>;
    const of = { key, tenant, rule, version, effectiveFrom: Number(record.effective_from) };
    const parsed = readRule(given);
    if ("rule" in parsed) return { ...of, definition: parsed.rule, problem: "" };
    // The api lets none through; a newer one may know a kind of rule that this version does not.
    log.error({ rule: key, version, problems: parsed.problems }, "a rule cannot be judged by this version");
    const problem = parsed.problems.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("; ");
    return { ...of, definition: unknownRule(rule, given), problem };
  };

  return {
    change: (key, record) => {
      if (record === undefined) rules.delete(key);
      else rules.set(key, read(key, record));
      revision += 1;
      changed();
    },
    get: (key) => rules.get(key),
    values: () => rules.values(),
    get revision() {
      return revision;
    },
  };
};
