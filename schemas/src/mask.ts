/**
 * A message without what differs from event to event: numbers, ids, addresses and times become placeholders. A placeholder
 * is kept as a control character and a name, so that text which merely looks like one stays text.
 */

export const placeholders = ["uuid", "time", "ip", "mac", "email", "hex", "num", "any"] as const;
export type Placeholder = (typeof placeholders)[number];

const open = "\u0001";
const close = "\u0002";

export const mark = (kind: Placeholder): string => open + kind + close;

/** First what is longest and surest; each alternative only where a word begins. */
const parts: readonly (readonly [Placeholder, string])[] = [
  ["uuid", "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?![\\w-])"],
  [
    "time",
    "\\d{4}-\\d\\d-\\d\\d(?:[T ]\\d\\d:\\d\\d(?::\\d\\d)?(?:[.,]\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)?)?(?![\\w-])",
  ],
  ["time", "\\d{1,2}/[A-Z][a-z]{2}/\\d{4}(?::\\d\\d:\\d\\d:\\d\\d(?: [+-]\\d{4})?)?(?!\\w)"],
  ["time", "\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?(?![\\w:])"],
  ["mac", "[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![\\w:])"],
  ["ip", "(?:\\d{1,3}\\.){3}\\d{1,3}(?:/\\d{1,2}|:\\d{1,5})?(?![\\w.])"],
  ["ip", "(?:[0-9a-fA-F]{1,4}:){2,7}(?::?[0-9a-fA-F]{1,4}){1,7}(?:/\\d{1,3})?(?![\\w:])"],
  ["email", "[\\w.+-]{1,64}@[\\w-]{1,63}(?:\\.[\\w-]{1,63}){1,4}(?!\\w)"],
  ["hex", "0[xX][0-9a-fA-F]{1,64}(?!\\w)"],
  // Eight or more hexadecimal digits, a digit among them: below that, words such as "added" would be ids.
  ["hex", "(?=[a-fA-F]{0,63}\\d)[0-9a-fA-F]{8,128}(?!\\w)"],
  ["num", "\\d+(?:[.,]\\d+)*(?:[eE][+-]?\\d{1,3})?(?=$|[^\\w]|[a-zA-Zµ%]{1,3}(?!\\w))"],
];

const varying = new RegExp(`(?<![\\w.])(?:${parts.map(([, source]) => `(${source})`).join("|")})`, "g");

export const mask = (message: string): string =>
  message.replaceAll(/[\u0001\u0002]/g, " ").replaceAll(varying, (_, ...groups: (string | undefined)[]) => {
    const found = parts[groups.findIndex((group, i) => i < parts.length && group !== undefined)];
    return mark(found?.[0] ?? "any");
  });

/** For people: a placeholder in angle brackets. */
export const shown = (masked: string): string => masked.replaceAll(open, "<").replaceAll(close, ">");

/** The constant stretches of a masked text, without words that a placeholder is a part of. */
export const constants = (masked: string): string[] =>
  masked
    .split(/\u0001\w+\u0002/)
    .map((text, i, all) => {
      const begun = i === 0 ? text : text.replace(/^[\w\u0080-\uffff]+/, "");
      return i === all.length - 1 ? begun : begun.replace(/[\w\u0080-\uffff]+$/, "");
    })
    .filter((text) => /[\w\u0080-\uffff]/.test(text));
