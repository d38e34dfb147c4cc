/**
 * Names that say their value is a secret: attribute keys, JSON keys, and what stands before `=` or `:` in text. Case and
 * the separators `_`, `-`, `.` and blank do not count, so apiKey, API_KEY and api.key are one name; and a name counts
 * only at the end, so password_policy and token_count are none.
 */
import { asciiFold } from "./ascii-fold.ts";
import type { NameDetector } from "./detector.ts";
import { nameDetectors } from "./detectors.ts";

const separators = /[-_. ]/g;
/** What may follow a name without changing what it names. */
const neutral =
  /[-_. ]?(?:value|text|raw|plain(?:text)?|string|str|new|old|confirm(?:ation)?|hash(?:ed)?|digest|b(?:ase)?64|header|s|[0-9]{1,4})$/i;
/** Public by their own word, or a place in a list. */
const harmless =
  /public|pubkey|(?:ch|g|k|yp|smb|lp|ht)passwd$|(?:page|pagination|continuation|cursor|sync|next|cancel|cancellation|fencing|resume|prompt|completion|input|output|max|total)tokens?$/;

const loose = (name: string): string => name.replaceAll(" ", "[-_. ]*");

const longNames = nameDetectors
  .flatMap((detector) => detector.names.map((name) => ({ name, detector, last: new RegExp(`${loose(name)}$`, "i") })))
  .toSorted((a, b) => b.name.length - a.name.length);

const capital = (name: string): string => (name[0] ?? "").toUpperCase() + name.slice(1);

const shortNames = nameDetectors.flatMap((detector) => {
  const row = (name: string, humped: boolean) => ({
    name,
    detector,
    alone: new RegExp(`(?:^|[._-])${name}$`, "i"),
    hump: humped ? new RegExp(`[a-z0-9]${capital(name)}$`) : undefined,
  });
  return [
    ...(detector.shortNames ?? []).map((name) => row(name, true)),
    ...(detector.separateNames ?? []).map((name) => row(name, false)),
  ];
});

const find = (key: string): NameDetector | undefined => {
  const long = findLong(key);
  if (long !== undefined) return long === "harmless" ? undefined : long;
  for (const { alone, hump, detector } of shortNames) if (alone.test(key) || hump?.test(key) === true) return detector;
  // Only long names may be followed by something: the scan looks for short ones with nothing behind.
  let stem = key;
  for (let rounds = 0; rounds < 4; rounds++) {
    const shorter = stem.replace(neutral, "");
    if (shorter === stem) return undefined;
    stem = shorter;
    const found = findLong(stem);
    if (found !== undefined) return found === "harmless" ? undefined : found;
  }
  return undefined;
};

const findLong = (key: string): NameDetector | "harmless" | undefined => {
  if (harmless.test(key.replace(separators, "").toLowerCase())) return "harmless";
  return longNames.find(({ last }) => last.test(key))?.detector;
};

const remembered = new Map<string, NameDetector | undefined>();

/** The detector whose name `key` ends with, if any. */
export const detectorOfName = (key: string): NameDetector | undefined => {
  const known = remembered.get(key);
  if (known !== undefined || remembered.has(key)) return known;
  const found = find(key.slice(-256).replace(/[^\p{L}\p{N}]+$/u, ""));
  // Keys repeat; those of a hostile client do not, and must not fill the memory.
  if (remembered.size >= 10_000) remembered.clear();
  remembered.set(key, found);
  return found;
};

const mentioned = longNames
  .filter(({ detector: { family, name } }) => family === "password" || family === "api_credential" || name === "token")
  .map(({ name, detector }) => ({ detector, anywhere: new RegExp(loose(name), "i") }));

/** Detectors whose name stands anywhere in `identifier`: a weaker sign, good for very random values only. */
export const mentionsSecret = (identifier: string): NameDetector | undefined => {
  if (harmless.test(identifier.replace(separators, "").toLowerCase())) return undefined;
  for (const { anywhere, detector } of mentioned) if (anywhere.test(identifier)) return detector;
  return /(?:^|[^a-z])key/i.test(identifier) ? nameDetectors.find((d) => d.name === "key") : undefined;
};

const either = (patterns: readonly string[]): string => patterns.join("|");

/** RE2 that stops at each name in a text. */
export const namePattern = `(?i)(?:${either([
  ...longNames.map(({ name }) => loose(name)),
  "key",
  ...shortNames.map(({ name }) => name),
])})`;

/** What may stand between a name and its value: the name's rest, what closes it, a sign. `,` counts before a quote only. */
export const assigns =
  /(?<rest>[\w-]{0,40})["'`\])}\\]{0,8}(?:&quot;)?(?: {1,3}string)?\s{0,3}(?<sign>=>|[:?.+]{0,3}=|:{1,3}|%3[aAdD]|>|,)[ \t]{0,4}/y;

/** Drops what a shorter name already finds: `password` covers `passwords`. */
const shortest = (names: readonly string[]): string[] =>
  // Within one of its words only: "root pass" holds "otp" in no way it may be written but one.
  [...new Set(names)].filter(
    (name) => !names.some((other) => other !== name && name.split(" ").some((word) => word.includes(other))),
  );

/** Scan patterns of all names. A long one is looked for wherever it stands, for an attribute's key ends in any byte. */
export const nameScans: readonly string[] = [
  `(?i)(?:${either(shortest(longNames.map(({ name }) => name)).map(loose))})`,
  // As an attribute's key: alone behind its own length, or behind a separator or hump.
  ...shortNames.map(
    ({ name, hump }) =>
      `(?:\\x${(name.length * 2).toString(16).padStart(2, "0")}|[._-])${asciiFold(`(?i)${name}`)}${hump === undefined ? "" : `|[a-z0-9]${capital(name)}`}`,
  ),
  // In text.
  `(?i)(?:key[a-z0-9_-]*|${either(shortNames.map(({ name }) => name).filter((name) => name !== "key"))})["'\`\\])}\\\\]*(?:&quot;)?(?: *string)?\\s*(?:[=:?.+>,]|%3[ad])`,
];
