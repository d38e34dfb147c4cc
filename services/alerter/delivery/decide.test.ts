/** Whom an incident tells when: value tests of each reason, and the laws that hold whatever happens. */
import type { AlertActionRecord } from "@astralog/schemas";
import { type IncidentState, type News, type Rule, readRule, type Step } from "@astralog/schemas/alerts/index";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Circumstances, type Decision, decide } from "./decide.ts";
import { holdOf } from "./hold.ts";

const minute = 60_000;
const t0 = Date.UTC(2026, 0, 5, 9);

const ruleOf = (more: object = {}): Rule => {
  const read = readRule({ id: "r", name: "R", when: { type: "threshold", query: "x", above: 1 }, ...more });
  if ("problems" in read) throw new Error(JSON.stringify(read.problems));
  return read.rule;
};
const news = (more: Partial<News> = {}): News => ({
  ...{ transition: "t1", state: "firing", at: t0, from: t0 - minute, to: t0, found: "2 of 1", value: 2, threshold: 1 },
  ...{ complete: 1, lines: [], ...more },
});
const incidentOf = (more: Partial<IncidentState> = {}): IncidentState => ({
  ...{ id: "i1", tenant: "tn", rule: "r", version: 1, ruleName: "R", severity: "warning", group: { service: "shop" } },
  ...{ labels: { service: "shop", rule: "r" }, query: "x", state: "firing", since: t0, until: 0, latest: news() },
  ...{ through: 0, known: ["t1"], untold: [news()], firstToldAt: 0, lastToldAt: 0, told: [], steps: 0, reminders: 0 },
  ...{ hold: "", closed: false, final: false, ...more },
});
const step = (afterMs: number, to: string): Step => ({ afterMs, to });
const around = (more: Partial<Circumstances> = {}): Circumstances => ({
  ...{ now: t0, judged: true, actions: [], rule: ruleOf(), steps: [step(0, "a")], firing: () => [] },
  targetOf: (to) => to,
  ...more,
});
const action = (kind: AlertActionRecord["kind"], more: Partial<AlertActionRecord> = {}): AlertActionRecord => ({
  ...{ tenant: "tn", action: "act", kind, matchers: '[{"label":"service","op":"=","values":["shop"]}]' },
  ...{ incident: "i1", starts_at: BigInt(t0 - minute), ends_at: 0n, schedule: "", by: "", comment: "", updated_at: 0n },
  ...more,
});
const said = ({ messages }: Decision): string[] =>
  messages.map(({ target, happening, again }) => `${target} ${happening}${again === "" ? "" : ` ${again}`}`);
/** A told one, a while later. */
const told = (more: Partial<IncidentState> = {}): IncidentState =>
  incidentOf({ untold: [], told: ["a"], firstToldAt: t0, lastToldAt: t0, steps: 1, ...more });

describe("an incident is told", () => {
  test("once, to those of the first step", () => {
    const first = decide(incidentOf(), around({ steps: [step(0, "a"), step(0, "b"), step(5 * minute, "c")] }));
    expect(said(first)).toEqual(["a began", "b began"]);
    expect(first.wakeAt).toBe(t0 + 5 * minute);
    expect(
      said(decide(first.incident, around({ steps: [step(0, "a"), step(0, "b"), step(5 * minute, "c")] }))),
    ).toEqual([]);
  });

  test("to the next step when nobody has acknowledged, who then hears of its end too", () => {
    const steps = [step(0, "a"), step(5 * minute, "c")];
    const later = decide(told(), around({ steps, now: t0 + 5 * minute }));
    expect(said(later)).toEqual(["c lasts step 1"]);
    const taken = around({ steps, now: t0 + 5 * minute, actions: [action("acknowledgement")] });
    expect(said(decide(told(), taken))).toEqual([]);
    const over = { ...later.incident, state: "resolved" as const, until: t0 + 6 * minute };
    expect(said(decide(over, around({ steps, now: t0 + 6 * minute })))).toEqual(["a ended", "c ended"]);
  });

  test("again by the rule's interval, and not while it is acknowledged", () => {
    const rule = ruleOf({ renotify: "10m" });
    expect(decide(told(), around({ rule })).wakeAt).toBe(t0 + 10 * minute);
    const again = decide(told(), around({ rule, now: t0 + 10 * minute }));
    expect(said(again)).toEqual(["a lasts reminder 1"]);
    expect(said(decide(again.incident, around({ rule, now: t0 + 20 * minute })))).toEqual(["a lasts reminder 2"]);
    const acknowledged = around({ rule, now: t0 + 10 * minute, actions: [action("acknowledgement")] });
    expect(said(decide(told(), acknowledged))).toEqual([]);
  });

  test("of its end once, to those alone who know of its beginning", () => {
    const over = { state: "resolved" as const, until: t0 };
    const closed = decide(told(over), around());
    expect(said(closed)).toEqual(["a ended"]);
    expect(closed.incident.closed).toBe(true);
    expect(said(decide(closed.incident, around()))).toEqual([]);
    // Over before anybody heard of it: both in order.
    expect(said(decide(incidentOf(over), around()))).toEqual(["a began", "a ended"]);
    expect(said(decide(incidentOf({ ...over, untold: [] }), around()))).toEqual([]);
  });

  test("as ended by hand, or with its rule", () => {
    const byHand = decide(told(), around({ actions: [action("resolution", { starts_at: BigInt(t0) })] }));
    expect([said(byHand), byHand.incident.latest.found, byHand.incident.final]).toEqual([
      ["a ended"],
      "Somebody resolved it by hand.",
      false,
    ]);
    const withRule = decide(told(), around({ judged: false }));
    expect([said(withRule), withRule.incident.final]).toEqual([["a ended"], true]);
  });
});

describe("nobody is told", () => {
  const held = (more: Partial<Circumstances>) => decide(incidentOf(), around(more));
  test.each<[string, Partial<Circumstances>]>([
    ["silence", { actions: [action("silence", { incident: "" })] }],
    ["maintenance", { actions: [action("maintenance", { incident: "" })] }],
    ["snooze", { actions: [action("snooze", { matchers: "[]", ends_at: BigInt(t0 + 1) })] }],
    ["dependency", { rule: ruleOf({ depends_on: ["base"] }), firing: () => [{ service: "shop", host: "h" }] }],
    ["schedule", { rule: ruleOf({ schedule: { from: "10:00", to: "11:00" } }) }],
  ])("while there is a %s, and everything when it is gone", (hold, more) => {
    const decided = held(more);
    expect([said(decided), decided.incident.hold]).toEqual([[], hold]);
    expect(decided.wakeAt).toBeGreaterThan(t0);
    expect(said(decide(decided.incident, around({ now: t0 + 1 })))).toEqual(["a began"]);
  });

  test("of what began and ended in a silence", () => {
    const decided = decide(
      incidentOf({ state: "resolved", until: t0 }),
      around({ actions: [action("silence", { incident: "" })] }),
    );
    expect([said(decided), decided.incident.closed]).toEqual([[], true]);
  });

  test("by a silence for others, one that has ended or not begun, or another rule's other group", () => {
    const others = action("silence", { matchers: '[{"label":"service","op":"=","values":["desk"]}]' });
    const over = action("silence", { ends_at: BigInt(t0) });
    const early = action("silence", { starts_at: BigInt(t0 + 1) });
    expect(holdOf(incidentOf(), around({ actions: [others, over, early] }), t0)).toBe("");
    const rule = ruleOf({ depends_on: ["base"] });
    expect(holdOf(incidentOf(), around({ rule, firing: () => [{ service: "desk" }] }), t0)).toBe("");
  });

  test("while it is pending; what lasts after a snooze is told again", () => {
    expect(said(decide(incidentOf({ state: "pending" }), around()))).toEqual([]);
    expect(said(decide(told({ hold: "snooze" }), around({ now: t0 + minute })))).toEqual(["a lasts reminder 1"]);
  });
});

// Whatever happens in whatever order: each target hears of each change once, of the end at most once and last, and who
// asks again at the same moment is told nothing new.
type Event = "wait" | "fires" | "ends" | "acknowledge" | "silence" | "unsilence" | "snooze" | "resolve" | "rule";
const anyEvent = fc.constantFrom<Event>(
  "wait",
  "fires",
  "ends",
  "acknowledge",
  "silence",
  "unsilence",
  "snooze",
  "resolve",
  "rule",
);

test("nobody hears of one thing twice, or of an end without its beginning, or of anything after the end", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(anyEvent, fc.integer({ min: 0, max: 20 })), { maxLength: 25 }), (events) => {
      let incident = incidentOf();
      let actions: AlertActionRecord[] = [];
      let [now, judged, n] = [t0, true, 1];
      const heard: string[] = [];
      const rule = ruleOf({ renotify: "7m" });
      const steps = [step(0, "a"), step(5 * minute, "b")];
      for (const [event, minutes] of [["wait", 0] as const, ...events]) {
        now += minutes * minute;
        if (event === "fires" && !incident.closed) {
          const latest = news({ transition: `t${++n}`, at: now, to: now });
          incident = { ...incident, state: "firing", latest, until: 0, untold: [...incident.untold, latest] };
        }
        if (event === "ends" && !incident.closed)
          incident = {
            ...incident,
            state: "resolved",
            until: now,
            latest: news({ transition: `t${++n}`, state: "resolved", at: now }),
          };
        if (event === "acknowledge") actions.push(action("acknowledgement", { starts_at: BigInt(now) }));
        if (event === "silence") actions.push(action("silence", { incident: "" }));
        if (event === "unsilence") actions = actions.filter(({ kind }) => kind !== "silence");
        if (event === "snooze") actions.push(action("snooze", { matchers: "[]", ends_at: BigInt(now + 6 * minute) }));
        if (event === "resolve") actions.push(action("resolution", { starts_at: BigInt(now) }));
        if (event === "rule") judged = false;
        const decided = decide(incident, around({ now, actions, rule, steps, judged }));
        for (const { target, happening, news: one, again } of decided.messages) {
          if (happening === "ended") expect(heard.some((text) => text.startsWith(`${target} `))).toBe(true);
          expect(heard).not.toContain(`${target} ended`);
          heard.push(
            happening === "ended" ? `${target} ended` : `${target} ${happening === "lasts" ? again : one.transition}`,
          );
        }
        incident = decided.incident;
        expect(said(decide(incident, around({ now, actions, rule, steps, judged })))).toEqual([]);
      }
      expect(new Set(heard).size).toBe(heard.length);
    }),
    { numRuns: 500 },
  );
});
