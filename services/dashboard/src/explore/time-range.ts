/**
 * The window of time that is looked at. Relative ends ("-1h") go on moving; absolute ones are RFC 3339 in UTC. An empty
 * `to` is now, an empty `from` the beginning.
 */

export interface Range {
  readonly from: string;
  readonly to: string;
}

const unitMillis = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof unitMillis;

const relative = /^-(\d{1,9})([smhdw])$/;

export const isRelative = (end: string): boolean => relative.test(end);

/** Milliseconds since the epoch; undefined for an open beginning or what is no time. */
export const instantOf = (end: string, now: number): number | undefined => {
  if (end === "now") return now;
  const ago = relative.exec(end);
  if (ago !== null) return now - Number(ago[1]) * unitMillis[ago[2] as Unit];
  if (/^\d{10,15}$/.test(end)) return Number(end);
  const at = Date.parse(end);
  return Number.isNaN(at) ? undefined : at;
};

/** Both ends in milliseconds; an open beginning is `widest` before the end. */
export const boundsOf = ({ from, to }: Range, now: number, widest = 30 * 86_400_000): readonly [number, number] => {
  const end = instantOf(to, now) ?? now;
  return [instantOf(from, now) ?? end - widest, end];
};

export const absolute = (from: number, to: number): Range => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
});

/** The same width, moved by `share` of itself; what would reach past now ends there. */
export const shift = (range: Range, share: number, now: number): Range => {
  const [from, to] = boundsOf(range, now);
  const step = (to - from) * share;
  const end = Math.min(to + step, now);
  return absolute(end - (to - from), end);
};

/** Half or twice as wide around the middle; a relative range stays one that ends now. */
export const widen = (range: Range, factor: number, now: number): Range => {
  const [from, to] = boundsOf(range, now);
  if (range.to === "" && isRelative(range.from)) return { from: shortest((to - from) * factor), to: "" };
  const middle = (from + to) / 2;
  const half = ((to - from) * factor) / 2;
  const end = Math.min(middle + half, now);
  return absolute(end - 2 * half, end);
};

const shortest = (ms: number): string => {
  for (const unit of ["w", "d", "h", "m"] as const)
    if (ms >= unitMillis[unit] && ms % unitMillis[unit] === 0) return `-${ms / unitMillis[unit]}${unit}`;
  return `-${Math.max(1, Math.round(ms / 1000))}s`;
};

export const presets: readonly (readonly [Range, string])[] = [
  [{ from: "-5m", to: "" }, "Last 5 minutes"],
  [{ from: "-15m", to: "" }, "Last 15 minutes"],
  [{ from: "-1h", to: "" }, "Last hour"],
  [{ from: "-4h", to: "" }, "Last 4 hours"],
  [{ from: "-24h", to: "" }, "Last 24 hours"],
  [{ from: "-7d", to: "" }, "Last 7 days"],
  [{ from: "-30d", to: "" }, "Last 30 days"],
  [{ from: "", to: "" }, "All time"],
];

const unitWords = { s: "seconds", m: "minutes", h: "hours", d: "days", w: "weeks" } as const;

const two = (value: number): string => String(value).padStart(2, "0");
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "24 Nov 14:05" or "24 Nov 14:05:30". */
const point = (ms: number, utc: boolean): { day: string; time: string } => {
  const at = new Date(utc ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
  const seconds = at.getUTCSeconds() === 0 ? "" : `:${two(at.getUTCSeconds())}`;
  return {
    day: `${at.getUTCDate()} ${months[at.getUTCMonth()]}`,
    time: `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}${seconds}`,
  };
};

/** What the picker's button says. */
export const describeRange = (range: Range, utc: boolean, now: number): string => {
  const preset = presets.find(([one]) => one.from === range.from && one.to === range.to);
  if (preset !== undefined) return preset[1];
  const ago = relative.exec(range.from);
  if (ago !== null && range.to === "") return `Last ${ago[1]} ${unitWords[ago[2] as Unit]}`;
  const strange = [range.from, range.to].find((end) => end !== "" && instantOf(end, now) === undefined);
  if (strange !== undefined) return `"${strange}" is no time`;
  const [from, to] = boundsOf(range, now);
  const first = point(from, utc);
  const last = point(to, utc);
  if (range.from === "") return `Until ${last.day} ${last.time}`;
  if (range.to === "") return `Since ${first.day} ${first.time}`;
  return first.day === last.day
    ? `${first.day} ${first.time} to ${last.time}`
    : `${first.day} ${first.time} to ${last.day} ${last.time}`;
};
