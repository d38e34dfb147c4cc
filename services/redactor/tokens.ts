/**
 * Credentials that say by their beginning what they are, written as templates: literal text, and `<class count>` for
 * random characters. `ghp_<A36>` is "ghp_" and 36 letters or digits; `<w20,>` is 20 or more. From one template come the
 * precise pattern, the scan pattern, an example and a look-alike that is the
 * beginning alone, so that no file of this project contains anything that looks like a live key.
 */
import { isFiller } from "./checks.ts";
import type { Family, PatternDetector } from "./detector.ts";

const classes: Record<string, { set: string; sample: string }> = {
  d: { set: "0-9", sample: "7302958146" },
  h: { set: "0-9a-f", sample: "3f9b0c7d52e8a614" },
  H: { set: "0-9A-Fa-f", sample: "3F9b0C7d52e8A614" },
  a: { set: "0-9a-z", sample: "q7m2x9k4v1t8z3n6b5w0" },
  A: { set: "0-9A-Za-z", sample: "Qm7Xk2Vt9Zn4Bw6Hd1Rs8Lp3Jf5Gc0" },
  U: { set: "0-9A-Z", sample: "Q7M2X9K4V1T8Z3N6B5W0" },
  L: { set: "A-Za-z", sample: "QmXkVtZnBwHdRsLpJfGc" },
  w: { set: "0-9A-Za-z_-", sample: "Qm7Xk2V-9Zn4Bw6H_1Rs8Lp3Jf5Gc0" },
  e: { set: "0-9A-Za-z_=.-", sample: "Qm7Xk2V-9Zn4Bw6H_1Rs8Lp3Jf5Gc0" },
  t: { set: "0-9A-Za-z_~.-", sample: "Qm7Xk2V~9Zn4Bw6H_1Rs8Lp3Jf5Gc0" },
  s: { set: "0-9A-Za-z+/", sample: "Qm7Xk2V/9Zn4Bw6H+1Rs8Lp3Jf5Gc0" },
};

interface Part {
  literal?: string;
  set?: string;
  sample?: string;
  min?: number;
  max?: string;
}

const parse = (template: string): Part[] =>
  [...template.matchAll(/<(\w)(\d+)(,\d*)?>|([^<]+)/g)].map(([, name, min, max, literal]) => {
    if (literal !== undefined) return { literal };
    const known = classes[name ?? ""];
    if (known === undefined) throw new Error(`no class ${name} in ${template}`);
    return { ...known, min: Number(min), max: max ?? "" };
  });

const quote = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

const fill = (sample: string, length: number): string =>
  sample.repeat(Math.ceil(length / sample.length)).slice(0, length);

/**
 * What the scan looks for: the template's longest literal, one character of what stands before it, and of what follows
 * as much as makes it rare. A class at the start would keep the automaton busy on every word, so it never begins there.
 */
const scanOf = (parts: readonly Part[]): string => {
  const weight = (part: Part): number => part.literal?.length ?? 0;
  const anchor = parts.reduce((best, part, i) => (weight(part) > weight(parts[best] ?? {}) ? i : best), 0);
  const before = parts[anchor - 1];
  let scan = before?.set === undefined ? "" : `[${before.set}]`;
  let certain = 0;
  for (const part of parts.slice(anchor)) {
    if (part.literal !== undefined) {
      scan += quote(part.literal);
      certain += part.literal.length;
      continue;
    }
    if (certain > 7) break;
    const wanted = Math.min(part.min ?? 0, Math.max(1, 14 - certain * 2));
    scan += `[${part.set}]{${wanted}}`;
    certain += wanted / 2;
    // What follows is only adjacent when all of this part was taken.
    if (wanted < (part.min ?? 0) || part.max !== "") break;
  }
  return scan;
};

const patternOf = (parts: readonly Part[]): string =>
  parts
    .map((part) => (part.literal === undefined ? `[${part.set}]{${part.min}${part.max}}` : quote(part.literal)))
    .join("");

/** A detector of the tokens in `templates`. All of one name share a row in metrics and in the replacement. */
export const tokens = (
  name: string,
  templates: readonly string[],
  family: Family = "api_credential",
): PatternDetector => {
  const parsed = templates.map(parse);
  const first = parsed[0] ?? [];
  const example = first.map((part) => part.literal ?? fill(part.sample ?? "", part.min ?? 0)).join("");
  const random = first.findIndex((part) => part.min !== undefined);
  const beginning = first
    .slice(0, random + 1)
    .map((part) => part.literal ?? fill(part.sample ?? "", Math.min(4, (part.min ?? 1) - 1)))
    .join("");
  return {
    kind: "pattern",
    name,
    family,
    pattern: parsed.map(patternOf).join("|"),
    scan: [...new Set(parsed.map(scanOf))].join("|"),
    accept: (secret) =>
      !isFiller(secret.replace(/^[A-Za-z]+[-_]/, "")) && !/EXAMPLE|x{8}|X{8}|([a-z])\1{15}/.test(secret),
    example: `request failed, sent ${example} to upstream`,
    lookalike: `request failed, sent ${beginning} to upstream`,
  };
};
