/** Times as people and programs write them: RFC 3339 (also a bare date), epoch milliseconds, `now`, or relative: -15m. */

const unitMillis = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const relative = /^-(\d{1,9})([smhdw])$/;
const millis = /^\d{10,15}$/;
const rfc3339 = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?)?$/;

// DateTime64(9) ends in 2262 and storage begins at 1900.
const earliest = Date.UTC(1900, 0, 1);
const latest = Date.UTC(2262, 0, 1);

/** What a message about a wrong time should offer. */
export const instantForms = "Write 2026-01-31T10:00:00Z, epoch milliseconds, now, or -15m (s, m, h, d, w).";

/** Nanoseconds since the epoch, or undefined when the text is no time or lies outside 1900–2261. `now` in milliseconds. */
export const parseInstant = (text: string, now: number): bigint | undefined => {
  if (text === "now") return BigInt(now) * 1_000_000n;
  const ago = relative.exec(text);
  if (ago !== null) return within(now - Number(ago[1]) * unitMillis[ago[2] as keyof typeof unitMillis], 0n);
  if (millis.test(text)) return within(Number(text), 0n);
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const [, date, time = "00:00:00", fraction = "", zone = "Z"] = parts;
  const at = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  return within(at, BigInt(fraction.padEnd(9, "0")));
};

const within = (at: number, nanos: bigint): bigint | undefined =>
  at >= earliest && at < latest ? BigInt(at) * 1_000_000n + nanos : undefined;
