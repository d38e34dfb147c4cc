/** A bounded, even sample of messages: by coordinates, so that it does not depend on what the messages say. */
import { createBinder, type SqlParams } from "@astralog/schemas/query/index";
import { type Scope, type Sql, scoped, type Window } from "../search/scope.ts";
import type { MessageCount } from "./patterns.ts";

export interface PatternRequest extends Window {
  readonly q: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Events a sample holds, about: beyond it shapes hardly change any more, and mining it takes under 100 ms. */
export const sampleEvents = 20_000;
/** A shape shows in its beginning. */
const messageCharacters = 1_000;

export const countSql = (request: PatternRequest, scope: Scope): Sql => {
  const { where, params } = scoped(scope, request, request);
  return { query: `SELECT toString(count()) FROM tenant_events WHERE ${where}`, params };
};

export type MessageRow = [message: string, count: string, first: string, last: string, severity: number];

/** Every `share`-th event, alike messages together. */
export const sampleSql = (request: PatternRequest, share: number, scope: Scope): Sql => {
  const { where, bind, params } = scoped(scope, request, request);
  const sampled = share > 1 ? ` AND cityHash64(partition, offset, idx) % ${bind("Int64", share)} = 0` : "";
  const text = `substringUTF8(message, 1, ${messageCharacters})`;
  return {
    query: `SELECT ${text} AS text, toString(count()), toString(toUnixTimestamp64Nano(min(timestamp))),
toString(toUnixTimestamp64Nano(max(timestamp))), max(level)
FROM tenant_events WHERE ${where}${sampled} GROUP BY text ORDER BY count() DESC, text LIMIT ${2 * sampleEvents}`,
    params,
  };
};

export const messageCounts = (rows: readonly MessageRow[]): MessageCount[] =>
  rows.map(([message, count, first, last, severity]) => ({
    message,
    count: Number(count),
    first: BigInt(first),
    last: BigInt(last),
    severity,
  }));

/** How many of all events, not of a sample, hold all the words of each list. One row. */
export const wordsSql = (request: PatternRequest, lists: readonly (readonly string[])[], scope: Scope): Sql => {
  const { where, params } = scoped(scope, request, request);
  const more: { params: SqlParams; bind: ReturnType<typeof createBinder>["bind"] } = createBinder("w");
  const counts = lists.map((words) => {
    const lower = words.map((word) => word.replace(/[A-Z]/g, (letter) => letter.toLowerCase()));
    return `toString(countIf(hasAllTokens(lower(message), ${more.bind("Array(String)", lower)})))`;
  });
  return {
    query: `SELECT ${counts.join(", ")} FROM tenant_events WHERE ${where}`,
    params: { ...params, ...more.params },
  };
};
