/** What is looked for in an event's message. */
import type { Query } from "./ast.ts";
import { queryLimits } from "./limits.ts";
import { QueryError } from "./query-error.ts";
import { wordsOf } from "./words.ts";

/** Words in the message, next to each other. */
export const messageQuery = (text: string, at: number): Query => {
  const found = wordsOf(text);
  if (found.length > queryLimits.words) {
    throw new QueryError(
      `A phrase may have ${queryLimits.words} words; this one has ${found.length}.`,
      at + 1,
      "Search for a part of it.",
    );
  }
  if (found.length > 0) return { type: "words", words: found };
  return text === "" ? { type: "all" } : { type: "contains", text };
};

export const wordPattern = (pieces: string[], at: number): Query => {
  checkStars(pieces, at);
  if (pieces.every((piece) => piece === "")) return { type: "all" };
  return { type: "wordPattern", pieces };
};

export const checkStars = (pieces: string[], at: number): void => {
  if (pieces.length - 1 <= queryLimits.stars) return;
  throw new QueryError(
    `A pattern may have ${queryLimits.stars} stars.`,
    at + 1,
    "Use fewer, or write \\* to find the character.",
  );
};
