/**
 * The shapes of messages, after Drain (He et al., 2017): masked, cut at white space, and put to the group of the same
 * length and beginning that most of its words agree with; where they differ, the shape has a hole. The same messages give
 * the same shapes: they are taken in the order of how often they come.
 */

import { constants, mark, mask, shown } from "@astralog/schemas/mask";
import { wordsOf } from "@astralog/schemas/query/index";

/** One text and how often it came in either period. */
export interface MessageCount {
  readonly message: string;
  readonly count: number;
  /** Nanoseconds since the epoch. */
  readonly first: bigint;
  readonly last: bigint;
  /** The highest severity number among them. */
  readonly severity: number;
}

export interface Pattern {
  readonly template: string;
  /** A query that finds its events, and others that hold the same words. */
  readonly query: string;
  readonly words: readonly string[];
  readonly count: number;
  /** In the period before. */
  readonly before: number;
  readonly first: bigint;
  readonly last: bigint;
  readonly severity: number;
  /** Its most frequent message. */
  readonly example: string;
}

interface Group {
  tokens: string[];
  count: number;
  before: number;
  first: bigint;
  last: bigint;
  severity: number;
  example: string;
}

/** Half of the words must agree: Drain's own value for texts of mixed origin. */
const likeness = 0.5;
const maxTokens = 100;
/** Beside one another; a further shape joins the one that is most like it. */
const maxInBucket = 100;
const any = mark("any");

const tokensOf = (message: string): string[] => {
  const tokens = mask(message)
    .split(/\s+/)
    .filter((token) => token !== "");
  return tokens.length <= maxTokens ? tokens : [...tokens.slice(0, maxTokens - 1), any];
};

const agreement = (a: readonly string[], b: readonly string[]): number => {
  let same = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i] && a[i] !== any) same++;
  return a.length === 0 ? 1 : same / a.length;
};

const byFrequency = (a: MessageCount, b: MessageCount): number =>
  b.count - a.count || (a.message < b.message ? -1 : a.message > b.message ? 1 : 0);

export const findPatterns = (now: readonly MessageCount[], before: readonly MessageCount[]): Pattern[] => {
  const buckets = new Map<string, Group[]>();
  const place = ({ message, ...one }: MessageCount): Group => {
    const tokens = tokensOf(message);
    const key = `${tokens.length} ${tokens[0] ?? ""}`;
    let bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, (bucket = []));
    let best: Group | undefined;
    let most = -1;
    for (const group of bucket) {
      const agreed = agreement(group.tokens, tokens);
      if (agreed > most) [best, most] = [group, agreed];
    }
    if (best === undefined || (most < likeness && bucket.length < maxInBucket)) {
      best = { tokens, count: 0, before: 0, first: one.first, last: one.last, severity: 0, example: message };
      bucket.push(best);
      return best;
    }
    best.tokens = best.tokens.map((token, i) => (token === tokens[i] ? token : any));
    return best;
  };
  for (const one of now.toSorted(byFrequency)) {
    const group = place(one);
    if (one.first < group.first) group.first = one.first;
    if (one.last > group.last) group.last = one.last;
    group.severity = Math.max(group.severity, one.severity);
    group.count += one.count;
  }
  for (const one of before.toSorted(byFrequency)) place(one).before += one.count;
  return [...buckets.values()]
    .flat()
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || (a.example < b.example ? -1 : 1))
    .map(({ tokens, ...group }) => {
      const masked = tokens.join(" ");
      const phrases = constants(masked).map(wordsOf);
      return { ...group, template: shown(masked), query: queryOf(phrases), words: phrases.flat() };
    });
};

/** Few phrases say as much as many, and a query has a limit. */
const maxPhrases = 12;

const queryOf = (phrases: readonly (readonly string[])[]): string =>
  phrases
    .filter((words) => words.length > 0)
    .toSorted((a, b) => b.join(" ").length - a.join(" ").length)
    .slice(0, maxPhrases)
    .map((words) => `"${words.slice(0, 20).join(" ")}"`)
    .join(" ");
