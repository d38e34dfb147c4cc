/** The query language as the page needs it: what is wrong while it is typed, what to mark, how a filter is written. */

import type { Query } from "@astralog/schemas/query/ast";
import { builtInFields } from "@astralog/schemas/query/ast";
import { parseQuery } from "@astralog/schemas/query/parse";
import { parsePipeline } from "@astralog/schemas/query/parse-pipeline";
import { aggregateNames, nameOfField, stageNames } from "@astralog/schemas/query/pipeline";
import { QueryError } from "@astralog/schemas/query/query-error";
import { opaqueEnd } from "@astralog/schemas/query/regex-token";
import type { Problem } from "../api/client.ts";

export const fieldNames: readonly string[] = builtInFields;

export interface Wrong {
  readonly message: string;
  /** 1-based. */
  readonly column: number;
  readonly suggestion: string;
}

/** What a server's refusal says is wrong with the query, if it is the query. */
export const wrongOf = (problem: Problem | undefined): Wrong | undefined =>
  problem?.column === undefined
    ? undefined
    : { message: problem.message, column: problem.column, suggestion: problem.suggestion ?? "" };

export const findWrong = (text: string): Wrong | undefined => {
  try {
    parsePipeline(text, { now: Date.now() });
    return undefined;
  } catch (error) {
    if (error instanceof QueryError) return error;
    return { message: "This query cannot be read.", column: 1, suggestion: "" };
  }
};

/** The same where only events are chosen: there are no pipes behind. */
export const findWrongFilter = (text: string): Wrong | undefined => {
  const [filter, pipes] = splitPipes(text);
  if (pipes === "") return findWrong(text);
  const suggestion = "Leave out what begins with |.";
  return { message: "A rule chooses events and does no more with them.", column: filter.length + 2, suggestion };
};

/** Where a problem's underline begins and ends: the word at its column, or the last character. */
export const underlineOf = (text: string, column: number): readonly [number, number] => {
  if (text === "") return [0, 0];
  const from = Math.min(Math.max(0, column - 1), text.length - 1);
  const word = /^[^\s()]+/.exec(text.slice(from))?.[0] ?? " ";
  return [from, Math.min(text.length, from + word.length)];
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const between = "[\\x00-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]+";
const inside = "[^\\x00-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7f]*";

const patternsOf = (query: Query): string[] => {
  switch (query.type) {
    case "and":
    case "or":
      return query.parts.flatMap(patternsOf);
    case "words":
      return [query.words.map(escaped).join(between)];
    case "contains":
      return [escaped(query.text)];
    case "wordPattern":
      return [query.pieces.map(escaped).join(inside)];
    default:
      return [];
  }
};

/** What to mark in messages, or undefined when the query has no words. Words that are excluded are not there to mark. */
export const marksOf = (text: string): RegExp | undefined => {
  try {
    const patterns = patternsOf(parsePipeline(text, { now: Date.now() }).filter).filter((one) => one !== "");
    return patterns.length === 0 ? undefined : new RegExp(patterns.slice(0, 32).join("|"), "gi");
  } catch {
    return undefined;
  }
};

/** A value as it is written in a query. */
export const literalOf = (value: string): string =>
  /^[\w./@-]+$/.test(value) && !/^(?:AND|OR|NOT|TO)$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;

export const fieldOf = (name: string): string =>
  /^[A-Za-z_@$][\w.@$/-]*$/.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;

export const filterOf = (name: string, value: string): string => `${fieldOf(name)}:${literalOf(value)}`;

/** What stands before the first pipe: filters are added there. */
export const splitPipes = (text: string): readonly [string, string] => {
  for (let i = 0; i < text.length; i++) {
    const end = opaqueEnd(text, i);
    if (end !== undefined) i = end - 1;
    else if (text[i] === "|") return [text.slice(0, i).trim(), ` ${text.slice(i)}`];
  }
  return [text.trim(), ""];
};

/** Of the table that pipes make: the columns that are fields of the events it was made of. */
export const groupedBy = (text: string): ReadonlyMap<string, string> => {
  try {
    const stats = parsePipeline(text, { now: 0 }).stages.find((stage) => stage.type === "stats");
    return new Map(
      (stats?.by ?? []).flatMap((group) => ("field" in group ? [[group.column, nameOfField(group.field)]] : [])),
    );
  } catch {
    return new Map();
  }
};

/** Words that may come next in the stage that this text ends in; undefined where words are looked for. */
export const pipeWords = (before: string): readonly string[] | undefined => {
  const [, pipes] = splitPipes(before);
  const stage = pipes.slice(pipes.lastIndexOf("|") + 1).trimStart();
  if (pipes === "" || /^where\s/.test(stage)) return undefined;
  if (stage === "") return stageNames;
  if (/^stats\b/.test(stage) && !/\bby\b/.test(stage)) {
    return /\($/.test(stage)
      ? []
      : [...aggregateNames.map((name) => (name === "count" ? "count()" : `${name}(`)), "p50(", "p95(", "p99(", "by"];
  }
  return /\bby\b/.test(stage) ? ["bin(1m)", "bin(1h)"] : /^sort\b/.test(stage) ? ["desc", "asc"] : [];
};

/** A whole OR has to stay together when something is added beside it. */
const grouped = (query: string): string => {
  try {
    return parseQuery(query, { now: 0 }).type === "or" && termsOf(query).length > 1 ? `(${query})` : query;
  } catch {
    return query;
  }
};

/** The query with the filter in it, or without it when it was there; its opposite is replaced. */
export const withFilter = (text: string, filter: string, exclude: boolean): string => {
  const [query, pipes] = splitPipes(text);
  const added = exclude ? `-${filter}` : filter;
  const opposite = exclude ? filter : `-${filter}`;
  const terms = termsOf(query);
  const without = terms.filter((term) => term !== added && term !== opposite);
  const next = terms.includes(added)
    ? without.join(" ")
    : [grouped(without.join(" ")), added].filter(Boolean).join(" ");
  return `${next}${pipes}`.trim();
};

export const hasFilter = (text: string, filter: string): "in" | "out" | undefined => {
  const terms = termsOf(splitPipes(text)[0]);
  return terms.includes(filter) ? "in" : terms.includes(`-${filter}`) ? "out" : undefined;
};

/** The query without each of its terms in turn. */
export const withoutTerms = (text: string): { readonly term: string; readonly rest: string }[] => {
  const [query, pipes] = splitPipes(text);
  const terms = termsOf(query);
  // Taking one out of "a OR b" leaves no query behind.
  if (terms.some((term) => /^(?:AND|OR|NOT)$/.test(term))) return [];
  return terms.map((term, i) => ({ term, rest: `${terms.toSpliced(i, 1).join(" ")}${pipes}`.trim() }));
};

/** The query's terms that ask for one value of a field, and the query with another value in its place. */
export const valueTerms = (
  text: string,
): { readonly field: string; readonly value: string; readonly withValue: (value: string) => string }[] => {
  const [query, pipes] = splitPipes(text);
  const terms = termsOf(query);
  return terms.flatMap((term, i) => {
    const [, field, quoted, plain] = /^([A-Za-z_@$][\w.@$/-]*):(?:"([^"\\]*)"|([\w./@-]+))$/.exec(term) ?? [];
    const value = quoted ?? plain;
    if (field === undefined || value === undefined) return [];
    const withValue = (next: string) => `${terms.with(i, filterOf(field, next)).join(" ")}${pipes}`.trim();
    return [{ field, value, withValue }];
  });
};

/** Its top-level terms as they were written, groups and phrases whole. */
export const termsOf = (query: string): string[] => {
  const terms: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i <= query.length; i++) {
    const character = query[i];
    if (character === "\\") i++;
    else if (character === '"') quoted = !quoted;
    else if (!quoted && character !== undefined && "([{".includes(character)) depth++;
    else if (!quoted && character !== undefined && ")]}".includes(character)) depth--;
    else if (character === undefined || (/\s/.test(character) && !quoted && depth <= 0)) {
      if (i > from) terms.push(query.slice(from, i));
      from = i + 1;
    }
  }
  return terms.map((term) => term.trim()).filter(Boolean);
};
