/** Times for people: always with the zone in reach, to the digit it was sent with. */
const pad = (value: number, length = 2): string => String(value).padStart(length, "0");

export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** "2026-11-24 06:12:01.123456789" from RFC 3339 with nine digits; `digits` of the fraction. */
export const formatStamp = (stamp: string, utc: boolean, digits = 3): string => {
  const date = new Date(stamp);
  const fraction = (/\.(\d+)/.exec(stamp)?.[1] ?? "").padEnd(9, "0").slice(0, digits);
  const text = utc
    ? date.toISOString().slice(0, 19).replace("T", " ")
    : `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return digits === 0 ? text : `${text}.${fraction}`;
};

export const formatAgo = (stamp: string | number, now = Date.now()): string => {
  const seconds = Math.round((now - new Date(stamp).getTime()) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return "just now";
  const [count, unit] =
    size < 60
      ? [size, "s"]
      : size < 3600
        ? [Math.round(size / 60), "min"]
        : size < 86_400
          ? [Math.round(size / 3600), "h"]
          : size < 60 * 86_400
            ? [Math.round(size / 86_400), "d"]
            : [Math.round(size / (30 * 86_400)), "months"];
  return seconds < 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
};

export const number = new Intl.NumberFormat("en");
export const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const formatBytes = (bytes: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
};

export const formatDuration = (ms: number): string =>
  ms < 1 ? "under 1 ms" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
