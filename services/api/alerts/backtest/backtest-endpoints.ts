/** When a rule would have fired, had it been in force: before it is switched on, or beside another version of it. */
import { Fault } from "@astralog/chassis";
import type { AlertTransition } from "@astralog/schemas";
import { ruleShape, suggestThreshold, transitionsHash } from "@astralog/schemas/alerts/index";
import { z } from "zod";
import { type Endpoint, endpoint } from "../../http/endpoint.ts";
import { goneSignal, readInstant, type Scoping, scopeOf } from "../../search/request.ts";
import { type BacktestDeps, runBacktest } from "./run-backtest.ts";

const maxDays = 31;
const day = 86_400_000;
const shownTransitions = 1_000;

const input = z.strictObject({
  rules: z.array(ruleShape).min(1).max(2).describe("One rule, or two versions to compare."),
  versions: z
    .array(z.int().min(0))
    .max(2)
    .default([])
    .describe("Numbers of saved versions: with them ids are those that were given live."),
  days: z.number().positive().max(maxDays).optional().describe("So far back from now; 7 unless from is given."),
  from: z.string().optional().describe("From when on the rule is in force."),
  to: z.string().optional(),
  per_week: z.number().positive().max(10_000).optional().describe("Suggest a threshold that fires so often a week."),
});

const transitionShape = z.object({
  id: z.string(),
  incident: z.string(),
  sequence: z.int(),
  group: z.record(z.string(), z.string()),
  from: z.string(),
  to: z.string(),
  window_from: z.string(),
  window_to: z.string(),
  value: z.number().nullable(),
  threshold: z.number().nullable(),
  reason: z.string(),
  events: z.array(z.string()),
  lines: z.array(z.string()),
});
type TransitionView = z.output<typeof transitionShape>;

const output = z.object({
  from: z.string(),
  to: z.string(),
  runs: z.array(
    z.object({
      hash: z.string().describe("The same for the same rule over the same events, always."),
      events: z.int().describe("Events that were looked at."),
      firings: z.int(),
      incidents: z.int(),
      transitions: z.array(transitionShape),
      truncated: z.boolean().describe("There were more transitions than are shown; the hash is over all."),
      suggestion: z.object({ threshold: z.number(), firings: z.int() }).nullable(),
    }),
  ),
  differences: z
    .object({ only_first: z.array(transitionShape), only_second: z.array(transitionShape) })
    .nullable()
    .describe("Of two versions: changes that only one of them makes, by group, window and state."),
});

const instant = (ms: bigint): string => new Date(Number(ms)).toISOString();

const viewOf = (one: AlertTransition): TransitionView => ({
  id: one.id,
  incident: one.incident,
  sequence: one.sequence,
  group: one.group,
  from: one.from_state,
  to: one.to_state,
  window_from: instant(one.window_from),
  window_to: instant(one.window_to),
  value: one.value,
  threshold: one.threshold,
  reason: one.reason,
  events: one.events,
  lines: one.lines,
});

const placeOf = ({ group, window_to, to_state }: AlertTransition): string =>
  JSON.stringify([Object.entries(group).sort(), Number(window_to), to_state]);

const onlyIn = (some: readonly AlertTransition[], others: readonly AlertTransition[]): TransitionView[] => {
  const there = new Set(others.map(placeOf));
  return some
    .filter((one) => !there.has(placeOf(one)))
    .slice(0, shownTransitions)
    .map(viewOf);
};

export const createBacktestEndpoints = (deps: BacktestDeps & Scoping): Endpoint[] => {
  const backtest = endpoint({
    method: "post",
    path: "/alerts/backtest",
    access: "events.read",
    tag: "alerts",
    summary: "When a rule would have fired, over what is stored",
    body: input,
    success: { status: 200, body: output },
    handle: async ({ body, caller, response }) => {
      const now = Date.now();
      const millis = (name: "from" | "to", fallback: number): number => {
        const found = readInstant(name, body[name], now);
        return found === undefined ? fallback : Number(found / 1_000_000n);
      };
      const to = Math.min(now, millis("to", now));
      const from = millis("from", to - (body.days ?? 7) * day);
      if (from >= to) throw new Fault("invalid_request", "from: must be before to.");
      if (to - from > maxDays * day)
        throw new Fault("invalid_request", `from: a back-test may go over ${maxDays} days. Choose a later from.`);
      const scope = scopeOf(caller, deps);
      const signal = goneSignal(response);
      const stretch = { from, to };
      const runs: { transitions: AlertTransition[]; view: z.input<typeof output>["runs"][number] }[] = [];
      for (const [i, rule] of body.rules.entries()) {
        const version = { tenant: caller.tenant, rule: rule.id, version: body.versions[i] ?? 0 };
        const { backtest: run, events } = await runBacktest(deps, { version, rule, stretch, scope, signal });
        const transitions = run.transitions();
        const suggestion =
          body.per_week === undefined ? undefined : suggestThreshold(run, rule, { ...stretch, perWeek: body.per_week });
        runs.push({
          transitions,
          view: {
            hash: transitionsHash(transitions),
            events,
            firings: transitions.filter(({ to_state: state }) => state === "firing").length,
            incidents: new Set(transitions.map(({ incident }) => incident)).size,
            transitions: transitions.slice(0, shownTransitions).map(viewOf),
            truncated: transitions.length > shownTransitions,
            suggestion: suggestion ?? null,
          },
        });
      }
      const [first, second] = runs;
      return {
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
        runs: runs.map(({ view }) => view),
        differences:
          first === undefined || second === undefined
            ? null
            : {
                only_first: onlyIn(first.transitions, second.transitions),
                only_second: onlyIn(second.transitions, first.transitions),
              },
      };
    },
  });
  return [backtest];
};
