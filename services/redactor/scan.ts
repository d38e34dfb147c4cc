/**
 * The zero-decode scan: RE2 over a batch's encoded events, which says which of them may hold a secret. What it does not
 * name holds none; what it names is decoded and looked at closely.
 *
 * The scan patterns stand as alternations in a few automata, so that the number of detectors hardly matters to its speed,
 * and a hit says where it is, which RE2's set of patterns does not. RE2 leaves its fast path when an automaton outgrows
 * its memory, and then answers right but some fifty times slower: loops such as `[a-z]*` in a scan pattern must begin
 * behind something rare, and scan-patterns.ts parts what multiplies.
 */
import RE2 from "re2";
import { scanParts } from "./scan-patterns.ts";

const automata = scanParts.map((part) => new RE2(part.map(({ pattern }) => `(?:${pattern})`).join("|"), "g"));

/**
 * Indexes, in order, of the events that may hold a secret. `spans` are the events' [start, end) pairs as eventSpans() of
 * the schemas gives them.
 */
export const suspects = (value: Buffer, spans: readonly number[]): number[] => {
  const marked = new Uint8Array(spans.length / 2);
  for (const automaton of automata) mark(automaton, value, spans, marked);
  const found: number[] = [];
  for (let i = marked.indexOf(1); i >= 0; i = marked.indexOf(1, i + 1)) found.push(i);
  return found;
};

const mark = (automaton: RE2, value: Buffer, spans: readonly number[], marked: Uint8Array): void => {
  const count = marked.length;
  let next = 0;
  automaton.lastIndex = spans[0] ?? 0;
  while (next < count) {
    const match = automaton.exec(value);
    if (match === null) break;
    // Bytes between events belong to none; a match may also run over an event's end, and then each it touches counts.
    const first = eventAt(spans, match.index, next);
    const last = eventAt(spans, automaton.lastIndex - 1, first);
    marked.fill(1, first, last + 1);
    next = last + 1;
    while (marked[next] === 1) next++;
    automaton.lastIndex = spans[next * 2] ?? value.length;
  }
  automaton.lastIndex = 0;
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
