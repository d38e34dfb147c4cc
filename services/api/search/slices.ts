/**
 * In which order a search looks through time: newest first, in stretches that grow, so that "the latest hundred" of a
 * frequent thing reads minutes and not years. What an index finds by itself is asked for at once: it reads next to
 * nothing, and each stretch more is another question to the server.
 */
import type { Query } from "@astralog/schemas/query/index";
import type { Window } from "./scope.ts";

const minute = 60_000_000_000n;
const first = 10n * minute;
const growth = 8n;
/** 10 min, 80 min, 11 h, 4 days; then all that is left. */
const most = 4;

/** `now` in milliseconds. Together the windows are the one asked for, without gap or overlap, newest first. */
export const slicesOf = (window: Window, query: Query, now: number): Window[] => {
  if (isNarrow(query)) return [window];
  const slices: Window[] = [];
  const newest = BigInt(now) * 1_000_000n;
  let to = window.to;
  // What claims to come from the future belongs to the first stretch.
  let from = (to === undefined || to > newest ? newest : to) - first;
  for (let length = first; slices.length < most && (window.from === undefined || from > window.from); ) {
    slices.push({ from, to });
    to = from;
    length *= growth;
    from -= length;
  }
  slices.push({ from: window.from, to });
  return slices;
};

/** Whether an index leaves only the places that hold what is looked for. */
const isNarrow = (query: Query): boolean => {
  switch (query.type) {
    case "and":
      return query.parts.some(isNarrow);
    case "or":
      return query.parts.every(isNarrow);
    case "words":
      return true;
    case "equals":
      return query.field.kind === "trace_id" || query.field.kind === "attribute";
    default:
      return false;
  }
};
