/** A query as a test on one live event: what a search would find once it is stored. */
import { type Predicate, parseQuery, type SqlNames, toPredicate } from "@astralog/schemas/query/index";
import RE2 from "re2";

/** The engine that ClickHouse has: its time grows with the text, whatever the expression. */
export const re2Test = (source: string): ((text: string) => boolean) => {
  const expression = new RE2(source, "u");
  return (text) => expression.test(text);
};

/** Throws QueryError; pipes are one, for a tail has no end to add up at. */
export const createMatcher = (q: string, now: number, { sources }: SqlNames): Predicate =>
  toPredicate(parseQuery(q, { now }), { sources, regex: re2Test });
