/** Times and spans on the command line. */
import { instantForms, parseInstant } from "@astralog/schemas/query/instant";
import { Failure } from "./failure.ts";

/** A time as RFC 3339 in UTC. Besides what a query takes, `15m` means 15 minutes ago. */
export const readTime = (text: string, option: string, now: number): string => {
  const nanos = parseInstant(/^\d+[smhdw]$/.test(text) ? `-${text}` : text, now);
  if (nanos === undefined) throw new Failure(`${option} is "${text}", which is no time.`, instantForms, 2);
  const millis = nanos / 1_000_000n - (nanos % 1_000_000n < 0n ? 1n : 0n);
  const rest = nanos - millis * 1_000_000n;
  const iso = new Date(Number(millis)).toISOString();
  return rest === 0n ? iso : `${iso.slice(0, -1)}${String(rest).padStart(6, "0")}Z`;
};

const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** A span as seconds: 90, 90s, 15m, 24h, 7d, 2w. */
export const readSpan = (text: string, option: string): number => {
  const match = /^(\d{1,9})([smhdw]?)$/.exec(text);
  if (match === null)
    throw new Failure(`${option} is "${text}", which is no span of time.`, "Write 90s, 15m, 24h or 7d.", 2);
  return Number(match[1]) * seconds[(match[2] || "s") as keyof typeof seconds];
};

/** A whole number from `min` to `max`. */
export const readCount = (text: string, option: string, min: number, max: number): number => {
  const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (n >= min && n <= max) return n;
  throw new Failure(`${option} is "${text}"; it takes a whole number from ${min} to ${max}.`, "", 2);
};
