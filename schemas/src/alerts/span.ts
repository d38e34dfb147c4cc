/** Spans of time as rules write them: a whole number and ms, s, m, h, d or w. */
import { z } from "zod";

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds; undefined when the text is no span. */
export const readSpan = (text: string): number | undefined => {
  const [, number = "", unit = ""] = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text) ?? [];
  const factor = units[unit];
  return factor === undefined ? undefined : Number(number) * factor;
};

/** Of text that a rule's shape has let through. */
export const spanMs = (text: string): number => readSpan(text) ?? 0;

/** A span from `min` to `max`, both as they are written. */
export const span = (min: string, max: string) =>
  z.string().refine((text) => {
    const ms = readSpan(text);
    return ms !== undefined && ms >= spanMs(min) && ms <= spanMs(max);
  }, `must be a span of time from ${min} to ${max}, such as ${min}`);
