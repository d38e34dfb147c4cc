/** Puts what partitions say into the rules that it is of, each in the version that is in force. */
import { setTimeout as sleep } from "node:timers/promises";
import type { AlertPartials, AlertTransition } from "@astralog/schemas";
import { endedTransition, groupValues, matchTransition } from "@astralog/schemas/alerts/index";
import type { ActiveRule, Rules } from "../rules.ts";
import type { Bench } from "./bench.ts";
import { judgedAgainTransition, unjudgedTransition } from "./of-rule.ts";
import { type JudgedRule, judgeRule, newRuleState } from "./rule-state.ts";
import type { Write } from "./write.ts";

/** So long parts of a rule that is not known here are held: its record is on the way. */
const unknownMs = 3_000;

export const createUptake = ({ rules, write }: { readonly rules: Rules; readonly write: Write }) => {
  const gone = new Set<string>();

  /** The rule in this version; a newer one ends the incidents of the one before. */
  const ruleOf = async (bench: Bench, active: ActiveRule): Promise<JudgedRule> => {
    const known = bench.rules.get(active.key);
    const unjudged = active.problem !== "";
    const isKnown = known?.state.version === active.version && (known.state.unjudged ?? false) === unjudged;
    if (known !== undefined && isKnown) return known;
    if (known !== undefined) await end(bench, known);
    const { key: _, problem, ...of } = active;
    const fresh = judgeRule(newRuleState({ ...of, unjudged }));
    if (unjudged) await write(bench, [unjudgedTransition(of, of.definition, of.effectiveFrom, problem)]);
    bench.rules.set(active.key, fresh);
    bench.dirty = true;
    return fresh;
  };

  const end = async (bench: Bench, { state }: JudgedRule): Promise<void> => {
    const open = Object.entries(state.machine.groups).flatMap(([key, group]) =>
      group.status === "ok"
        ? []
        : [
            endedTransition(
              state,
              state.definition,
              { values: groupValues(key), status: group.status, beganAt: group.beganAt, sequence: group.sequence },
              Date.now(),
            ),
          ],
    );
    if (state.unjudged) open.push(judgedAgainTransition(state, state.definition, state.effectiveFrom));
    await write(bench, open);
    bench.rules.delete(`${state.tenant}/${state.rule}`);
  };

  /** A part may be here before the rule's own record is. */
  const activeOf = async (bench: Bench, key: string, version: number): Promise<ActiveRule | undefined> => {
    const name = `${key}@${version}`;
    const deadline = Date.now() + unknownMs;
    for (;;) {
      const active = rules.get(key);
      if (active !== undefined && active.version >= version) return active.version === version ? active : undefined;
      if (gone.has(name) || Date.now() > deadline || bench.lost) break;
      await sleep(50);
    }
    if (gone.size > 10_000) gone.clear();
    gone.add(name);
    return undefined;
  };

  const use = async (bench: Bench, partials: AlertPartials): Promise<boolean> => {
    for (const { rule, version } of partials.admitted) {
      const active = await activeOf(bench, rule, version);
      if (active !== undefined) (await ruleOf(bench, active)).state.admitted[partials.partition] = true;
    }
    for (const counter of partials.counters) {
      const active = await activeOf(bench, counter.rule, counter.version);
      if (active !== undefined) (await ruleOf(bench, active)).addCounter(counter);
    }
    const told: AlertTransition[] = [];
    for (const match of partials.matches) {
      const active = await activeOf(bench, match.rule, match.version);
      if (active === undefined || !(await ruleOf(bench, active)).addMatch(match)) continue;
      const { group, event, line } = match;
      const judged = { at: Date.now(), completeness: 1 };
      told.push(matchTransition(active, active.definition, { group, event, line, at: Number(match.at) }, judged));
    }
    if (told.length > 0) await write(bench, told);
    const before = bench.reached[partials.partition];
    const [seen, known] = [Number(partials.seen), Number(partials.known)];
    const watermark = Math.max(before?.watermark ?? 0, Number(partials.watermark));
    bench.reached[partials.partition] = { watermark, seen, known };
    return watermark > (before?.watermark ?? -1) || partials.admitted.length > 0;
  };

  return { ruleOf, end, use };
};
