import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type EventInMemory, parseQuery, toPredicate } from "../query/index.ts";
import { createBinder } from "../query/sql.ts";
import { clashOf, dropsAttribute, fieldConditions, previewConditions } from "./ageing.ts";
import { daysOfSource, sourceConditions, type TenantPolicy } from "./policy.ts";
import type { RetentionRule } from "./rule.ts";

const base: RetentionRule = {
  ...{ name: "r", kind: "keep", source: "", query: "", days: 1, reason: "r", fields: [], except: [] },
};
const queries = [
  "",
  "level:debug",
  "secret",
  "NOT secret",
  "user.id:3",
  "NOT user.id:3",
  "user.id:*",
  "host:h1",
  "order.sum:>5",
];
const field = fc.constantFrom("message", "host", "attributes.user.id", "attributes.user.*", "attributes.*");
const rule: fc.Arbitrary<RetentionRule> = fc
  .record({
    kind: fc.constantFrom("keep" as const, "hold" as const, "drop_fields" as const),
    query: fc.constantFrom(...queries),
    days: fc.integer({ min: 1, max: 30 }),
    fields: fc.uniqueArray(field, { minLength: 1, maxLength: 3 }),
    except: fc.constantFrom<string[]>([], ["attributes.order.*"]),
  })
  .map((made) => ({
    ...base,
    ...made,
    days: made.kind === "hold" ? null : made.days,
    ...(made.kind === "drop_fields" ? {} : { fields: [], except: [] }),
  }));
/** As the api lets them be made, one after the other. */
const accepted = (rules: readonly RetentionRule[]): RetentionRule[] => {
  const there: RetentionRule[] = [];
  for (const one of rules) if (clashOf(one, there) === undefined) there.push(one);
  return there;
};

type Plain = Pick<EventInMemory, "level" | "message" | "host"> & {
  readonly attributes: Readonly<Record<string, string>>;
};
const event: fc.Arbitrary<Plain> = fc.record({
  level: fc.constantFrom(5, 9),
  message: fc.constantFrom("the secret", "nothing", "secret user 3"),
  host: fc.constantFrom("h1", "h2"),
  attributes: fc.constantFrom({}, { "user.id": "3" }, { "user.id": "4", "order.sum": "9" }, { "user.name": "x" }),
});
const finds = ({ query }: RetentionRule, { level, message, host, attributes }: Plain): boolean =>
  toPredicate(parseQuery(query, { now: 0 }), {
    sources: new Map(),
    regex: (source) => (text) => new RegExp(source).test(text),
  })({
    ...{
      source: "src_a",
      level,
      message,
      host,
      millis: 0,
      nanos: 0,
      service: "",
      trace_id: "",
      span_id: "",
      types: "",
    },
    attributes: Object.entries(attributes).flat(),
  } as unknown as EventInMemory);

/** What it is without what some rules drop. */
const without = (one: Plain, rules: readonly RetentionRule[]): Plain => ({
  ...one,
  message: rules.some(({ fields }) => fields.includes("message")) ? "" : one.message,
  host: rules.some(({ fields }) => fields.includes("host")) ? "" : one.host,
  attributes: Object.fromEntries(
    Object.entries(one.attributes).filter(([name]) => !rules.some((each) => dropsAttribute(each, name))),
  ),
});
/** How long it lives, by what it is now. */
const lifeOf = (rules: readonly RetentionRule[], own: number, one: Plain): number => {
  const found = rules.filter((each) => each.kind === "keep" && each.query !== "" && finds(each, one));
  const whole = rules.flatMap(({ kind, query, days }) => (kind === "keep" && query === "" ? [days ?? 0] : []));
  return found.length > 0 ? Math.max(...found.map(({ days }) => days ?? 0)) : Math.min(own, ...whole);
};
const isHeld = (rules: readonly RetentionRule[], one: Plain): boolean =>
  rules.some((each) => each.kind === "hold" && finds(each, one));

/** Day by day, as sweeps do it: what is left of the event on each of its days. */
const lived = (rules: readonly RetentionRule[], own: number, first: Plain): Plain[] => {
  const days: Plain[] = [];
  for (let [day, now] = [0, first]; day < 40; day++) {
    const held = isHeld(rules, now);
    if (!held && day > lifeOf(rules, own, now)) return days;
    if (!held)
      now = without(
        now,
        rules.filter((each) => each.kind === "drop_fields" && day > (each.days ?? 0) && finds(each, now)),
      );
    days.push(now);
  }
  return days;
};

const world = fc.record({
  rules: fc.array(rule, { maxLength: 6 }).map(accepted),
  own: fc.integer({ min: 1, max: 30 }),
  event,
});

test("a rule that drops fields never makes an event's life shorter, and longer only by a hold that asks for what is missing", () => {
  fc.assert(
    fc.property(world, ({ rules, own, event: one }) => {
      const plain = rules.filter(({ kind }) => kind !== "drop_fields");
      const [days, without] = [lived(rules, own, one), lived(plain, own, one)];
      expect(days.length).toBeGreaterThanOrEqual(without.length);
      if (!days.some((now) => isHeld(rules, now))) expect(days).toHaveLength(without.length);
    }),
    { numRuns: 2_000 },
  );
});

test("of the rules that find it the earliest takes a field, and a hold takes none", () => {
  fc.assert(
    fc.property(world, ({ rules, own, event: one }) => {
      const days = lived(rules, own, one);
      if (isHeld(rules, one))
        return void expect(days.every((now) => now === one || JSON.stringify(now) === JSON.stringify(one))).toBe(true);
      // Its loss may make a hold find it.
      if (days.some((now) => isHeld(rules, now))) return;
      const mine = rules.filter(
        (each) => each.kind === "drop_fields" && each.fields.includes("message") && finds(each, one),
      );
      const earliest = Math.min(...mine.map((each) => each.days ?? 0));
      const gone = days.findIndex(({ message }) => message === "");
      expect(gone).toBe(earliest + 1 < days.length ? earliest + 1 : -1);
    }),
    { numRuns: 2_000 },
  );
});

test("how long something is kept does not know of such rules", () => {
  const policyOf = (rules: RetentionRule[]): TenantPolicy => ({
    ...{ tenant: "t", planDays: 20, rules },
    sources: new Map([["src_a", { days: 10, name: "a" }]]),
  });
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), (rules) => {
      const [all, plain] = [policyOf(rules), policyOf(rules.filter(({ kind }) => kind !== "drop_fields"))];
      expect(daysOfSource(all, "src_a")).toEqual(daysOfSource(plain, "src_a"));
      const due = (one: TenantPolicy) => sourceConditions(one, "src_a", createBinder().bind, 0);
      expect([due(all).due(9), due(all).held]).toEqual([due(plain).due(9), due(plain).held]);
    }),
  );
});

test.each([
  // What one asks for the other drops, in either order.
  [{ kind: "keep", query: "audit" }, { kind: "drop_fields", fields: ["message"] }, "message"],
  [
    { kind: "drop_fields", query: "user.id:3", fields: ["message"] },
    { kind: "drop_fields", fields: ["attributes.user.*"] },
    "attributes.user.id",
  ],
  [
    { kind: "keep", query: "(level:debug OR NOT order.sum:>3)" },
    { kind: "drop_fields", fields: ["attributes.*"] },
    "attributes.order.sum",
  ],
  [{ kind: "keep", query: "trace_id:abc*" }, { kind: "drop_fields", fields: ["trace_id"] }, "trace_id"],
  [{ kind: "keep", query: "host:/a.b/" }, { kind: "drop_fields", fields: ["host"] }, "host"],
  // These get on with each other.
  [
    { kind: "keep", query: "service:audit level:error" },
    { kind: "drop_fields", fields: ["message", "attributes.*"] },
    undefined,
  ],
  [
    { kind: "keep", query: "user.id:3" },
    { kind: "drop_fields", fields: ["attributes.*"], except: ["attributes.user.*"] },
    undefined,
  ],
  [{ kind: "hold", query: "audit" }, { kind: "drop_fields", fields: ["message"] }, undefined],
  [
    { kind: "keep", query: "audit", source: "src_a" },
    { kind: "drop_fields", fields: ["message"], source: "src_b" },
    undefined,
  ],
] as const)("%j beside %j: %s", (one, other, clash) => {
  const [a, b] = [one, other].map((each) => ({ ...base, ...each }) as RetentionRule);
  if (a === undefined || b === undefined) throw new Error("two");
  expect(clashOf(a, [b])?.field).toBe(clash);
  expect(clashOf(b, [a])?.field).toBe(clash);
});

test("a rule may ask for what it drops itself", () => {
  expect(clashOf({ ...base, kind: "drop_fields", query: "password", fields: ["message"] }, [])).toBeUndefined();
});

test("only what a rule names is touched, and what people wrote reaches the server as parameters alone", () => {
  const policy: TenantPolicy = {
    ...{ tenant: "t", planDays: 20, sources: new Map([["src_a", { days: 10, name: "a" }]]) },
    rules: [{ ...base, kind: "drop_fields", days: 7, query: "user:O'Brien", fields: ["host", "attributes.it's.*"] }],
  };
  const { params, bind } = createBinder();
  const found = fieldConditions(policy, "src_a", bind, { now: 0, today: 20_000 });
  expect(Object.keys(found?.columns ?? {})).toEqual(["host", "attribute_types", "attributes"]);
  expect(JSON.stringify(found)).not.toMatch(/O'Brien|it's/);
  expect(JSON.stringify(params)).toMatch(/O'Brien.*it's\./);
  expect(found?.held).toBe("0");
  expect(fieldConditions({ ...policy, rules: [] }, "src_a", bind, { now: 0, today: 0 })).toBeUndefined();
  const [only = base] = policy.rules;
  const hold: RetentionRule = { ...base, kind: "hold", source: "src_b", days: null };
  expect(previewConditions({ ...policy, rules: [hold] }, only, bind, { now: 0, today: 0 }).held).toMatch(
    /source = \{p\d+:String\}/,
  );
});
