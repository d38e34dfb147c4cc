/**
 * The zero-decode scan: one pass of RE2 over a batch's encoded events that says which of them may hold a secret. What it
 * does not name holds none; what it names is decoded and looked at closely.
 *
 * All scan patterns are one alternation in one automaton, so that the number of detectors hardly matters to its speed,
 * and a hit says where it is, which RE2's set of patterns does not. RE2 leaves its fast path when an automaton outgrows
 * its memory, and then answers right but some twenty times slower: loops such as `[a-z]*` in a scan pattern must begin
 * behind something rare. Ordinary access logs are the touchstone, for their lines differ most.
 */
import RE2 from "re2";
import { scanPatterns } from "./scan-patterns.ts";

const any = new RE2(scanPatterns.map(({ pattern }) => `(?:${pattern})`).join("|"), "g");

/**
 * Indexes, in order, of the events that may hold a secret. `spans` are the events' [start, end) pairs as eventSpans() of
 * the schemas gives them.
 */
export const suspects = (value: Buffer, spans: readonly number[]): number[] => {
  const found: number[] = [];
  const count = spans.length / 2;
  let next = 0;
  any.lastIndex = spans[0] ?? 0;
  while (next < count) {
    const match = any.exec(value);
    if (match === null) break;
    // Bytes between events belong to none; a match may also run over an event's end, and then each it touches counts.
    const first = eventAt(spans, match.index, next);
    const last = eventAt(spans, any.lastIndex - 1, first);
    for (let i = first; i <= last && i < count; i++) found.push(i);
    next = last + 1;
    any.lastIndex = spans[next * 2] ?? value.length;
  }
  return found;
};

/** The event at or after `from` that byte `at` lies in, or else the next one. */
const eventAt = (spans: readonly number[], at: number, from: number): number => {
  let low = from;
  let high = spans.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle * 2 + 1] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return low;
};
