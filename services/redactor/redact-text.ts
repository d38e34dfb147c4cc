/**
 * Text in, text out. Every detector's finds are collected, overlapping ones become one replacement under the name of
 * the detector that stands first in the table, and a secret found once is replaced wherever else it stands in the text.
 * Runs until nothing changes, so that redacting a result again changes nothing.
 */
import RE2 from "re2";
import { asciiFold } from "./ascii-fold.ts";
import type { NameDetector, PatternDetector, Span } from "./detector.ts";
import { markerOf } from "./detector.ts";
import { detectors, patternDetectors } from "./detectors.ts";
import { namedSecrets } from "./find-names.ts";
import { scanParts } from "./scan-patterns.ts";
import { checkTime } from "./time-budget.ts";

/** Replacements made, by detector. */
export type Counts = Map<string, number>;

/** Thrown when redaction does not come to rest: the text must not be passed on. */
export class RedactionError extends Error {
  override readonly name = "RedactionError";
}

const rank = new Map(detectors.map((detector, i) => [detector.name, i]));
const precise = new Map(
  patternDetectors.map((detector) => [
    detector,
    {
      pattern: new RE2(asciiFold(detector.pattern), "dg"),
      onlyIf: detector.onlyIf === undefined ? undefined : new RE2(asciiFold(detector.onlyIf)),
    },
  ]),
);
const scans = scanParts.map((part) => ({ part, set: new RE2.Set(part.map(({ pattern }) => pattern)) }));
const anyMarker = `\\[redacted:(?:${[...rank.keys()].join("|")})\\]`;
const markers = new RegExp(anyMarker, "g");
const onlyMarker = new RegExp(`^${anyMarker}$`);

interface Find {
  name: string;
  span: Span;
}

/** A letter or digit before `at` belongs to the same word, unless it ends an escape or a terminal's colour code. */
const continuesWord = (text: string, at: number): boolean =>
  /[A-Za-z0-9]$/.test(text.slice(Math.max(0, at - 1), at)) &&
  !/(?:\\[nrtbfv]|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|%[0-9a-fA-F]{2}|\[[0-9;]{0,8}m)$/.test(
    text.slice(Math.max(0, at - 10), at),
  );

const patternFinds = (text: string, detector: PatternDetector, finds: Find[]): void => {
  const { name, accept, within } = detector;
  const tools = precise.get(detector);
  if (tools === undefined || tools.onlyIf?.test(text) === false) return;
  const { pattern } = tools;
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    checkTime();
    const { groups } = match.indices ?? {};
    const end = match.index + match[0].length;
    if (within !== undefined) {
      for (const span of within(match[0], { text, span: [match.index, end] })) finds.push({ name, span });
      continue;
    }
    const span: Span = groups?.s ?? groups?.u ?? [match.index, end];
    const bounded =
      detector.bounded === false || (!continuesWord(text, match.index) && !/[A-Za-z0-9]/.test(text[span[1]] ?? ""));
    const secret = text.slice(span[0], span[1]);
    if (secret !== "" && bounded && (accept?.(secret, { text, span }) ?? true)) finds.push({ name, span });
  }
};

const collect = (text: string): Find[] => {
  const finds: Find[] = [];
  let named = false;
  // RE2 takes a string several times slower than its bytes.
  const bytes = Buffer.from(text);
  for (const { part, set } of scans) {
    for (const index of set.match(bytes)) {
      const detector = part[index]?.detector;
      if (detector === undefined) named = true;
      else patternFinds(text, detector, finds);
    }
  }
  if (named) for (const { detector, span } of namedSecrets(text)) finds.push({ name: detector.name, span });
  if (finds.length === 0) return finds;
  const covered = [...text.matchAll(markers)].map((m): Span => [m.index, m.index + m[0].length]);
  // What is replaced already stays as it is, and is not part of anything else.
  return covered.length === 0
    ? finds
    : finds.flatMap((find) => outside(find.span, covered).map((span) => ({ ...find, span })));
};

/** The parts of `span` that no marker covers and that carry anything. `markers` are in order. */
const outside = (span: Span, markers: readonly Span[]): Span[] => {
  let [low, high] = [0, markers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((markers[middle]?.[1] ?? 0) <= span[0]) low = middle + 1;
    else high = middle;
  }
  const parts: Span[] = [];
  let [at] = span;
  for (; at < span[1]; low++) {
    const [start, end] = markers[low] ?? [span[1], span[1]];
    const stop = Math.min(start, span[1]);
    // What is left beside a marker is mostly punctuation.
    if (stop - at >= 4 || (stop === span[1] && at === span[0])) parts.push([at, stop]);
    at = Math.max(at, end);
  }
  return parts;
};

/** The same secrets elsewhere in the text: a password that is repeated without its name. */
const repeats = (text: string, finds: readonly Find[]): Find[] => {
  const more: Find[] = [];
  // Bounded, or a text full of secrets would be searched once for each.
  for (const secret of new Set(finds.slice(0, 32).map(({ span }) => text.slice(...span)))) {
    if (secret.length < 8) continue;
    const { name } = finds.find(({ span }) => text.slice(...span) === secret) as Find;
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + secret.length))
      more.push({ name, span: [at, at + secret.length] });
  }
  return more;
};

const replace = (text: string, finds: readonly Find[], counts: Counts): string => {
  const sorted = [...finds, ...repeats(text, finds)].toSorted((a, b) => a.span[0] - b.span[0] || b.span[1] - a.span[1]);
  let out = "";
  let at = 0;
  for (let i = 0; i < sorted.length; ) {
    let { name, span } = sorted[i] as Find;
    let [start, end] = span;
    for (i++; i < sorted.length && (sorted[i] as Find).span[0] < end; i++) {
      const other = sorted[i] as Find;
      end = Math.max(end, other.span[1]);
      if ((rank.get(other.name) ?? 0) < (rank.get(name) ?? 0)) name = other.name;
    }
    out += text.slice(at, start) + markerOf(name);
    at = end;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return out + text.slice(at);
};

const mostRounds = 6;

/**
 * Short texts that hold nothing, so that services, hosts, names and other values that come again and again are looked at
 * once. What was found in is never kept here.
 */
const knownClean = new Set<string>();
const shortText = 48;
const mostKnown = 20_000;

const remember = (text: string): void => {
  if (text.length > shortText) return;
  if (knownClean.size >= mostKnown) knownClean.clear();
  knownClean.add(text);
};

/** Replaces what is found in running text. Throws RedactionError when it does not come to rest. */
export const redactText = (text: string, counts: Counts): string => {
  if (knownClean.has(text)) return text;
  let current = text;
  for (let round = 0; round < mostRounds; round++) {
    checkTime();
    const finds = collect(current);
    if (finds.length === 0) {
      if (round === 0) remember(text);
      return current;
    }
    current = replace(current, finds, counts);
  }
  throw new RedactionError(`still finds something after ${mostRounds} rounds`);
};

/** Replaces the whole value of a name, if that name's detector takes it. */
export const redactNamed = (value: string, detector: NameDetector, counts: Counts): string | undefined => {
  if (value === "" || value === "true" || value === "false" || value === "null" || isMarker(value)) return undefined;
  if (!detector.takesWhole(value)) return undefined;
  counts.set(detector.name, (counts.get(detector.name) ?? 0) + 1);
  return markerOf(detector.name);
};

export const isMarker = (value: string): boolean => onlyMarker.test(value);
