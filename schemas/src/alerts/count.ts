/**
 * Events to counts, for one rule and one lane: a raw partition, in its order. Pure: the same events give the same counts and
 * the same matches, live and over history.
 */
import type { Event } from "../event-batch.ts";
import { levelName } from "../levels.ts";
import { mask, shown } from "../mask.ts";
import { numberIn } from "../query/duration.ts";
import { type Field, fieldNamed, parseQuery } from "../query/index.ts";
import {
  attributeOf,
  type EventInMemory,
  type Predicate,
  type PredicateContext,
  toPredicate,
} from "../query/predicate.ts";
import { type Condition, conditionLimits, everyOf, readValue } from "./condition.ts";
import { eventTime, inTime, paneOf } from "./event-time.ts";
import { emptyMeasure, groupKey, groupValues, type Measure, otherGroups } from "./measure.ts";
import type { Rule } from "./rule.ts";
import { spanMs } from "./span.ts";

/** Of one lane: pane to group to what was counted. */
export type Panes = Map<number, Map<string, Measure>>;

export interface Match {
  readonly group: string[];
  /** Event time; also says which incident it belongs to. */
  readonly at: number;
  /** Its coordinates as text. */
  readonly event: string;
}

export interface Placed {
  readonly event: EventInMemory;
  readonly receivedAt: number;
  /** Its coordinates as text. */
  id(): string;
}

export interface Counter {
  /** Milliseconds that a pane spans. */
  readonly every: number;
  readonly lateness: number;
  /** Counts an event; the match that is to be told of, if there is one. */
  add(panes: Panes, placed: Placed): Match | undefined;
}

const longestValue = 200;
const longestMessage = 300;

/** What is kept of an event as evidence. It is redacted already: it comes from events.clean or from what is stored. */
export const lineOf = ({ millis, level, service, message }: Event): string =>
  JSON.stringify({
    at: new Date(millis).toISOString(),
    level: levelName(level),
    service: service.slice(0, longestValue),
    message: message.slice(0, longestMessage),
  });

const reader = (field: Field): ((event: EventInMemory) => string) => {
  switch (field.kind) {
    case "attribute":
      return (event) => (attributeOf(event, field.path) ?? "").slice(0, longestValue);
    case "level":
      return ({ level }) => levelName(level);
    case "timestamp":
      return () => "";
    default: {
      const { kind } = field;
      return (event) => event[kind].slice(0, longestValue);
    }
  }
};

const none: readonly string[] = [];

const grouping = (when: Condition): ((event: EventInMemory) => readonly string[]) => {
  if (when.type === "new_pattern")
    return ({ message }) => [shown(mask(message.slice(0, 1_000))).slice(0, longestValue)];
  const readers = when.by.map((name) => reader(fieldNamed(name)));
  return readers.length === 0 ? () => none : (event) => readers.map((read) => read(event));
};

/** Milliseconds of a rule's panes: of a match, its incidents. */
export const paneSpan = ({ when }: Rule): number => (when.type === "match" ? spanMs(when.window) : everyOf(when));

/** Throws QueryError; a rule's shape has let none through that would. */
export const createCounter = (rule: Rule, effectiveFrom: number, context: PredicateContext): Counter => {
  const { when } = rule;
  const every = paneSpan(rule);
  const lateness = spanMs(rule.lateness);
  const query = (text: string): Predicate => toPredicate(parseQuery(text, { now: 0 }), context);
  const first = query(when.query);
  const second = when.type === "ratio" ? query(when.of) : undefined;
  const groupOf = grouping(when);
  const path = "value" in when ? readValue(when.value).path : "";
  const limit = when.type === "match" ? when.limit : 0;

  const measureOf = (panes: Panes, pane: number, group: readonly string[]): [string, Measure] => {
    let groups = panes.get(pane);
    if (groups === undefined) panes.set(pane, (groups = new Map()));
    let key = groupKey(group);
    if (groups.size >= conditionLimits.groups && !groups.has(key)) key = groupKey(group.map(() => otherGroups));
    let measure = groups.get(key);
    if (measure === undefined) groups.set(key, (measure = emptyMeasure()));
    return [key, measure];
  };

  return {
    every,
    lateness,
    add: (panes, { event, receivedAt, id }) => {
      if (receivedAt < effectiveFrom) return undefined;
      const counts = first(event);
      const others = second?.(event) === true;
      if (!counts && !others) return undefined;
      let at = eventTime(event.millis, receivedAt);
      let pane = paneOf(at, every);
      if (!inTime(receivedAt, pane, every, lateness)) {
        if (limit === 0) return undefined;
        // A match is never missed: one that comes late belongs to the incident of its receipt.
        at = receivedAt;
        pane = paneOf(at, every);
      }
      const [key, measure] = measureOf(panes, pane, groupOf(event));
      if (others) measure.other++;
      if (!counts) return undefined;
      measure.count++;
      if (measure.event === "") {
        measure.event = id();
        measure.line = lineOf(event);
      }
      if (path !== "") {
        const number = numberIn(attributeOf(event, path) ?? "");
        if (Number.isFinite(number)) {
          measure.numbers++;
          measure.sum += number;
          if (number < measure.min) measure.min = number;
          if (number > measure.max) measure.max = number;
        }
      }
      return measure.count <= limit ? { group: groupValues(key), at, event: id() } : undefined;
    },
  };
};
