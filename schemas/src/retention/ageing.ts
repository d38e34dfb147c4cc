/**
 * Fields that go before their event does. The law, for one field of one event:
 *   - while a hold finds the event, it stays;
 *   - else it is due on the day on which the first of the rules that find the event and name the field says so;
 *   - the event itself lives as long as it would without such rules.
 * The last holds because no rule may ask for a field that another drops (`clashOf`): what a rule finds does not change
 * with an event's age.
 */
import type { Field, Query } from "../query/ast.ts";
import { parseQuery } from "../query/parse.ts";
import { type Bind, conditionSql, createBinder } from "../query/sql.ts";
import { isAbout, type TenantPolicy } from "./policy.ts";
import { attributePrefix, droppableColumns, mostDays, type RetentionRule } from "./rule.ts";

type Fields = Pick<RetentionRule, "fields" | "except">;

const attributesIn = (names: readonly string[]) => {
  const mine = names.flatMap((name) => (name.startsWith(attributePrefix) ? [name.slice(attributePrefix.length)] : []));
  return {
    exact: mine.filter((name) => !name.endsWith("*")),
    starts: mine.flatMap((name) => (name.endsWith("*") ? [name.slice(0, -1)] : [])),
  };
};

const finds = (names: readonly string[], attribute: string): boolean => {
  const { exact, starts } = attributesIn(names);
  return exact.includes(attribute) || starts.some((start) => attribute.startsWith(start));
};

export const dropsAttribute = ({ fields, except }: Fields, attribute: string): boolean =>
  finds(fields, attribute) && !finds(except, attribute);

/** The rules that drop fields of events of this source. */
export const fieldRulesOf = ({ rules }: TenantPolicy, source: string): RetentionRule[] =>
  rules.filter((rule) => rule.kind === "drop_fields" && isAbout(rule, source));

/** What of an event a query asks for, among what can be dropped. */
const readsOf = (query: Query): Field[] => {
  switch (query.type) {
    case "and":
    case "or":
      return query.parts.flatMap(readsOf);
    case "not":
      return readsOf(query.part);
    case "words":
    case "contains":
    case "wordPattern":
      return [{ kind: "message" }];
    case "exists":
    case "equals":
    case "pattern":
    case "regex":
      return [query.field];
    case "range":
      return [{ kind: "attribute", path: query.path }];
    case "all":
    case "levels":
    case "time":
      return [];
  }
};

const drops = (rule: Fields, field: Field): boolean =>
  field.kind === "attribute"
    ? dropsAttribute(rule, field.path)
    : rule.fields.includes(field.kind) && droppableColumns.some((column) => column === field.kind);

const nameOf = (field: Field): string => (field.kind === "attribute" ? `${attributePrefix}${field.path}` : field.kind);

const meet = (one: RetentionRule, other: RetentionRule): boolean =>
  one.source === "" || other.source === "" || one.source === other.source;

/** What `reader` would not find any more, because `dropper` had dropped what it asks for. */
const lostFor = (reader: RetentionRule, dropper: RetentionRule): string | undefined => {
  if (dropper.kind !== "drop_fields" || reader.kind === "hold" || reader.query === "") return undefined;
  if (!meet(reader, dropper)) return undefined;
  const field = readsOf(parseQuery(reader.query, { now: 0 })).find((one) => drops(dropper, one));
  return field && nameOf(field);
};

export interface Clash {
  readonly with: RetentionRule;
  readonly field: string;
  /** Of the new rule: what it drops, or what it asks for. */
  readonly at: "fields" | "query";
}

/**
 * Why a rule cannot stand beside those that are there: one of two asks for a field that the other drops, so what it finds
 * would change with an event's age. A hold may ask for anything, for it must never be refused: what it finds loses nothing,
 * and one that asks for what is missing finds more with time, so that more is kept.
 */
export const clashOf = (rule: RetentionRule, others: readonly RetentionRule[]): Clash | undefined => {
  for (const other of others) {
    const dropped = lostFor(other, rule);
    if (dropped !== undefined) return { with: other, field: dropped, at: "fields" };
    const asked = lostFor(rule, other);
    if (asked !== undefined) return { with: other, field: asked, at: "query" };
  }
  return undefined;
};

/** Whether the attribute of that name, an expression, is one of the rule's. */
const nameSql = ({ fields, except }: Fields, name: string, bind: Bind): string => {
  const one = (names: readonly string[]): string[] => {
    const { exact, starts } = attributesIn(names);
    return [
      ...(exact.length === 0 ? [] : [`has(${bind("Array(String)", exact)}, ${name})`]),
      ...starts.map((start) => (start === "" ? "1" : `startsWith(${name}, ${bind("String", start)})`)),
    ];
  };
  const [found, stays] = [one(fields), one(except)];
  if (found.length === 0) return "0";
  return `((${found.join(" OR ")})${stays.length === 0 ? "" : ` AND NOT (${stays.join(" OR ")})`})`;
};

/** Whether anything of the rule's fields is there. */
const thereSql = (rule: Fields, bind: Bind): string => {
  const columns = droppableColumns.filter((column) => rule.fields.includes(column)).map((column) => `${column} != ''`);
  const name = nameSql(rule, "k", bind);
  return `(${[...columns, ...(name === "0" ? [] : [`arrayExists(k -> ${name}, mapKeys(attributes))`])].join(" OR ")})`;
};

interface At {
  /** Milliseconds, from which relative times in queries count. */
  readonly now: number;
  /** A number since the epoch. */
  readonly today: number;
}

const namesOf = ({ sources }: TenantPolicy) => ({ sources: new Map([...sources].map(([id, { name }]) => [id, name])) });

const foundSql = (policy: TenantPolicy, { query }: RetentionRule, bind: Bind, now: number): string =>
  conditionSql(parseQuery(query, { now }), bind, namesOf(policy));

const overSql = ({ days }: RetentionRule, today: number): string =>
  `toUInt32(toDate(received_at)) + ${days ?? mostDays} < ${today}`;

export interface FieldConditions {
  /** Something is there whose days are over. */
  readonly due: string;
  /** A hold finds it. */
  readonly held: string;
  /** What each column is without what is due, of an event that `due` finds and `held` does not. */
  readonly columns: Readonly<Record<string, string>>;
}

/** Conditions over `events`, of one source. Undefined where no rule drops a field of it. */
export const fieldConditions = (
  policy: TenantPolicy,
  source: string,
  bind: Bind,
  { now, today }: At,
): FieldConditions | undefined => {
  const rules = fieldRulesOf(policy, source);
  if (rules.length === 0) return undefined;
  const over = rules.map((rule) => ({
    rule,
    sql: `(${overSql(rule, today)} AND ${foundSql(policy, rule, bind, now)})`,
  }));
  const holds = policy.rules
    .filter((rule) => rule.kind === "hold" && isAbout(rule, source))
    .map((rule) => foundSql(policy, rule, bind, now));
  const columns: Record<string, string> = {};
  for (const column of droppableColumns) {
    const mine = over.filter(({ rule }) => rule.fields.includes(column)).map(({ sql }) => sql);
    if (mine.length > 0) columns[column] = `if(${mine.join(" OR ")}, '', ${column})`;
  }
  const gone = over.flatMap(({ rule, sql }) => {
    const name = nameSql(rule, "k", bind);
    return name === "0" ? [] : [`(${sql} AND ${name})`];
  });
  if (gone.length > 0) {
    const stays = `NOT (${gone.join(" OR ")})`;
    // One letter for each attribute; where there are fewer, the rest are text.
    columns.attribute_types = `arrayStringConcat(arrayFilter((t, k) -> ${stays}, arrayResize(splitByString('', attribute_types), length(mapKeys(attributes)), 's'), mapKeys(attributes)))`;
    columns.attributes = `mapFilter((k, v) -> ${stays}, attributes)`;
  }
  return {
    due: `(${over.map(({ rule, sql }) => `(${sql} AND ${thereSql(rule, bind)})`).join(" OR ")})`,
    held: holds.length === 0 ? "0" : `(${holds.join(" OR ")})`,
    columns,
  };
};

/** The conditions of a source's rules whatever the day is: the same as long as they find the same. */
export const fieldVersion = (policy: TenantPolicy, source: string, now: number): string => {
  const { params, bind } = createBinder();
  const { due, held } = fieldConditions(policy, source, bind, { now, today: 0 }) ?? {};
  return JSON.stringify([due, held, params]);
};

const ofSource = (rule: RetentionRule, bind: Bind): string =>
  rule.source === "" ? "1" : `source = ${bind("String", rule.source)}`;

/** Whether a hold finds it, of events of any source. */
const heldSql = (policy: TenantPolicy, bind: Bind, now: number): string => {
  const holds = policy.rules
    .filter(({ kind }) => kind === "hold")
    .map((rule) => `(${ofSource(rule, bind)} AND ${foundSql(policy, rule, bind, now)})`);
  return holds.length === 0 ? "0" : `(${holds.join(" OR ")})`;
};

/** What one rule would find now, over events of any source: something of its fields is there; and its days are over. */
export const previewConditions = (policy: TenantPolicy, rule: RetentionRule, bind: Bind, { now, today }: At) => ({
  there: `(${ofSource(rule, bind)} AND ${foundSql(policy, rule, bind, now)} AND ${thereSql(rule, bind)})`,
  over: `(${overSql(rule, today)})`,
  held: heldSql(policy, bind, now),
});

/**
 * For each rule that drops fields, in their order, whether it has done so: it finds the event, its days are over, no hold
 * finds it, and nothing of the fields is there. What was there before is nowhere written down.
 */
export const droppedConditions = (policy: TenantPolicy, bind: Bind, { now, today }: At) => {
  const held = heldSql(policy, bind, now);
  return policy.rules
    .filter(({ kind }) => kind === "drop_fields")
    .map((rule) => ({
      rule,
      sql: `(${ofSource(rule, bind)} AND ${overSql(rule, today)} AND ${foundSql(policy, rule, bind, now)} AND NOT ${thereSql(rule, bind)} AND NOT ${held})`,
    }));
};

/** Where rules that drop fields reach; what they do not reach goes by its own time. */
export const fieldReach = [
  {
    ...{ place: "events", reached: true },
    detail: "within the hour after its days are over; also what was brought back from a bucket",
  },
  {
    ...{ place: "buckets", reached: true },
    detail: "within the hour, too: objects of buckets of your own are made anew; one that is away is tried again",
  },
  {
    ...{ place: "clickhouse", reached: false },
    detail: "what is stored on a ClickHouse server of your own keeps its fields, as long as it is there",
  },
  {
    place: "dead_letters",
    reached: false,
    detail: "they are sealed, and go whole after the most days of their source",
  },
  { place: "alerts", reached: false, detail: "what alerts quoted stays with the alert" },
  { place: "exports", reached: false, detail: "takeouts keep what they held when they were made, until their own day" },
  { place: "backups", reached: false, detail: "they are never changed, and go whole" },
  { place: "kafka", reached: false, detail: "what came goes by itself: within 4 days, dead letters within 14" },
] as const;
