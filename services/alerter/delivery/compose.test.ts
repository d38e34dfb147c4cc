/** What a message says, of how many incidents at once, and under which id. */
import { wordsOf } from "@astralog/chassis";
import {
  destinationKinds,
  type IncidentState,
  mostIncidents,
  type News,
  type Notice,
  readRule,
  type Target,
} from "@astralog/schemas/alerts/index";
import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { compose, type Draft, pagesAt } from "./compose.ts";
import type { Message } from "./decide.ts";

const minute = 60_000;
const t0 = Date.UTC(2026, 0, 5, 9);
const pages = pagesAt(new URL("https://logs.example.com"));
const read = readRule({
  ...{ id: "slow", name: "Slow checkout", description: "Customers wait.", severity: "critical", owners: ["payments"] },
  ...{ labels: { team: "payments" }, runbook: "https://wiki.example.com/slow" },
  when: { type: "threshold", query: 'level:error "too slow"', by: ["service"], above: 10 },
});
if ("problems" in read) throw new Error(JSON.stringify(read.problems));
const { rule } = read;

const news = (more: Partial<News> = {}): News => ({
  ...{ transition: "t1", state: "firing", at: t0 + 900, from: t0 - 5 * minute, to: t0, value: 12, threshold: 10 },
  ...{ found: "count() is 12, above 10", complete: 1, lines: ["09:00 error checkout too slow"], ...more },
});
const incident = (more: Partial<IncidentState> = {}): IncidentState => ({
  ...{ id: "i1", tenant: "tn", rule: "slow", version: 1, ruleName: "Slow", severity: "critical", state: "firing" },
  ...{ group: { service: 'che"ckout' }, labels: {}, query: 'level:error "too slow"', since: t0, until: 0 },
  ...{ latest: news(), through: 0, known: [], untold: [], firstToldAt: 0, lastToldAt: 0, told: [], steps: 0 },
  ...{ reminders: 0, hold: "", closed: false, final: false, ...more },
});
const draft = (of: Partial<IncidentState> = {}, message: Partial<Message> = {}): Draft => ({
  incident: incident(of),
  message: { target: "hook", happening: "began", news: news(), again: "", ...message },
});
const targetOf =
  (kind: Target["kind"] = "webhook") =>
  (id: string): Target | undefined =>
    id === "gone" ? undefined : ({ id, kind } as Target);
const composed = (drafts: readonly Draft[], kind?: Target["kind"], of: typeof rule | undefined = rule) =>
  compose(drafts, of, targetOf(kind), { pages, now: t0 + minute });
const only = (drafts: readonly Draft[], kind?: Target["kind"]): Notice => {
  const all = composed(drafts, kind);
  expect(all).toHaveLength(1);
  return all[0]?.notice as Notice;
};
const own = { title: "", text: "" };

describe("a message says", () => {
  test("what happened, since when, how much, of what, and where to look", () => {
    const notice = only([draft()]);
    expect(notice).toMatchObject({
      ...{ happening: "began", state: "firing", at: "2026-01-05T09:01:00.000Z", organization: "tn", more: 0 },
      rule: {
        id: "slow",
        name: "Slow checkout",
        severity: "critical",
        owners: ["payments"],
        labels: { team: "payments" },
      },
    });
    const [found] = notice.incidents;
    expect(found).toMatchObject({
      ...{ id: "i1", transition: "t1", since: "2026-01-05T09:00:00.000Z", until: "", value: 12, threshold: 10 },
      page: "https://logs.example.com/alerts/incidents/i1?organization=tn",
    });
    // The rule's query, narrowed to the group, over the window that was judged.
    const search = new URL(found?.search ?? "");
    expect([search.origin, search.pathname]).toEqual(["https://logs.example.com", "/explore"]);
    expect(Object.fromEntries(search.searchParams)).toEqual({
      ...{ q: String.raw`(level:error "too slow") "service":"che\"ckout"`, organization: "tn" },
      ...{ from: "2026-01-05T08:55:00.000Z", to: "2026-01-05T09:01:00.000Z" },
    });
    const { title, text } = wordsOf(notice, own);
    expect(title).toBe('[critical] Slow checkout: firing for service=che"ckout');
    expect(text.split("\n")).toEqual([
      "Customers wait.",
      'service=che"ckout: count() is 12, above 10 since 2026-01-05 09:00:00 UTC',
      "09:00 error checkout too slow",
    ]);
  });

  test("of an event, the minute around it", () => {
    const search = new URL(only([draft({}, { news: news({ from: t0, to: t0 }) })]).incidents[0]?.search ?? "");
    expect([search.searchParams.get("from"), search.searchParams.get("to")]).toEqual([
      "2026-01-05T08:59:00.000Z",
      "2026-01-05T09:01:00.000Z",
    ]);
  });

  test("when it ended, and that it lasts", () => {
    const over = { state: "resolved", until: t0 + 7 * minute } as const;
    const end = draft(over, {
      happening: "ended",
      news: news({ state: "resolved", found: "count() is 3, not above 10" }),
    });
    expect(only([end]).incidents[0]).toMatchObject({ until: "2026-01-05T09:07:00.000Z", transition: "t1" });
    expect(wordsOf(only([end]), own).text).toContain("from 2026-01-05 09:00:00 UTC to 2026-01-05 09:07:00 UTC");
    const lasts = only([draft({}, { happening: "lasts", again: "reminder 1" })]);
    // A reminder is of no change: who counts changes must not count it.
    expect(lasts.incidents[0]).toMatchObject({ transition: "", until: "" });
    expect(wordsOf(lasts, own).title).toContain("still firing");
  });

  test("how complete the events were that it was judged on", () => {
    expect(wordsOf(only([draft({}, { news: news({ complete: 0.9731 }) })]), own).text).toContain(
      "97.3 % of the events",
    );
  });

  test("the rule's name as the incident has it, once the rule is gone", () => {
    const [gone] = compose([draft()], undefined, targetOf(), { pages, now: t0 });
    expect(gone?.notice.rule).toMatchObject({ name: "Slow", description: "", runbook: "", owners: [] });
  });
});

describe("an id", () => {
  test("is the same for the same news, whenever it is made; another for another target, end, or reminder", () => {
    const later = compose([draft()], rule, targetOf(), { pages, now: t0 + 99 * minute })[0]?.notice.id;
    expect(only([draft()]).id).toBe(later);
    const others = [
      draft({}, { target: "other" }),
      draft({}, { happening: "ended" }),
      draft({}, { news: news({ transition: "t2" }) }),
      draft({}, { happening: "lasts", again: "reminder 1" }),
      draft({}, { happening: "lasts", again: "reminder 2" }),
    ];
    expect(new Set([later, ...others.map((one) => only([one]).id)]).size).toBe(6);
  });
});

describe("what a rule has to say at one moment goes together", () => {
  const many = (count: number): Draft[] =>
    Array.from({ length: count }, (_, i) => draft({ id: `i${i}` }, { news: news({ transition: `t${i}` }) }));

  test("to whom it may: each reader has its limit, and pagers take one incident each", () => {
    const counts = (kind: Target["kind"]) =>
      composed(many(mostIncidents + 3), kind).map(({ notice: { incidents, more } }) => [incidents.length, more]);
    expect(counts("webhook")).toEqual([
      [mostIncidents, 0],
      [3, 0],
    ]);
    for (const kind of ["email", "slack", "teams", "discord"] as const)
      expect(counts(kind)).toEqual([[mostIncidents, 3]]);
    for (const kind of ["pagerduty", "opsgenie"] as const) expect(counts(kind)).toHaveLength(mostIncidents + 3);
  });

  test("and what differs goes apart; whom nobody knows any more is told nothing", () => {
    const drafts = [
      draft(),
      draft({}, { happening: "ended" }),
      draft({}, { news: news({ state: "nodata" }) }),
      draft({}, { target: "other" }),
      draft({}, { target: "gone" }),
    ];
    expect(composed(drafts).map(({ target, notice }) => [target, notice.happening, notice.state])).toEqual([
      ["hook", "began", "firing"],
      ["hook", "ended", "firing"],
      ["hook", "began", "nodata"],
      ["other", "began", "firing"],
    ]);
  });

  test("law: a webhook and a pager hear of each change once, and no two notices have one id", () => {
    const kinds = destinationKinds.filter(
      (kind) => !["on_call", "escalation", "email", "slack", "teams", "discord"].includes(kind),
    );
    const changes = fc.uniqueArray(fc.record({ t: fc.nat(60), target: fc.constantFrom("a", "b") }), {
      selector: ({ t, target }) => `${t}${target}`,
    });
    fc.assert(
      fc.property(changes, fc.constantFrom(...(kinds as Target["kind"][])), (all, kind) => {
        const drafts = all.map(({ t, target }) =>
          draft(
            { id: `i${t % 7}` },
            { target, news: news({ transition: `t${t}`, state: t % 3 === 0 ? "nodata" : "firing" }) },
          ),
        );
        const made = composed(drafts, kind);
        const heard = made.flatMap(({ target, notice }) =>
          notice.incidents.map(({ transition }) => `${target} ${transition}`),
        );
        expect(heard.toSorted()).toEqual(all.map(({ t, target }) => `${target} t${t}`).toSorted());
        expect(new Set(made.map(({ notice }) => notice.id)).size).toBe(made.length);
      }),
    );
  });
});
