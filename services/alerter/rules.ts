/** The rules that are in force, read from control.alert-rules and kept by tenant. */
import type { Log } from "@astralog/chassis";
import type { AlertRuleRecord } from "@astralog/schemas";
import { type Rule, type RuleVersion, readRule } from "@astralog/schemas/alerts/index";

export interface ActiveRule extends RuleVersion {
  /** tenant/rule */
  readonly key: string;
  readonly effectiveFrom: number;
  readonly definition: Rule;
}

export interface Rules {
  change(key: string, record: AlertRuleRecord | undefined): void;
  get(key: string): ActiveRule | undefined;
  values(): Iterable<ActiveRule>;
  /** Grows with each change. */
  readonly revision: number;
}

/** `changed` is called with each rule that came, changed or went. */
export const createRules = (log: Log, changed: () => void): Rules => {
  const rules = new Map<string, ActiveRule>();
  let revision = 0;

  const read = (key: string, record: AlertRuleRecord): ActiveRule | undefined => {
    const { tenant, rule, version } = record;
    const parsed = readRule(JSON.parse(record.definition));
    if ("problems" in parsed) {
      // The api lets none through; a newer one may know a kind of rule that this version does not.
      log.error({ rule: key, version, problems: parsed.problems }, "a rule cannot be judged by this version");
      return undefined;
    }
    return { key, tenant, rule, version, effectiveFrom: Number(record.effective_from), definition: parsed.rule };
  };

  return {
    change: (key, record) => {
      const rule = record === undefined ? undefined : read(key, record);
      if (rule === undefined) rules.delete(key);
      else rules.set(key, rule);
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
