/** Text on a terminal: what others wrote must not move the cursor or reorder the line. Numbers and times for people. */

// C0 but tab, DEL, C1, bidirectional controls, line separators.
const unsafe = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;

const written = (character: string): string => {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  const code = character.charCodeAt(0);
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** `text` on one line, with every control character written out. */
export const printable = (text: string): string => text.replace(unsafe, written);

/** 12345 as 12,345. */
export const count = (n: number): string => Math.round(n).toLocaleString("en-US");

/** 1 event, 2 events. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in binary units with three digits: 1.21 MiB. */
export const bytes = (n: number): string => {
  let unit = 0;
  let value = n;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
};

/** Seconds as 0.8 s, 42 s, 3:07 or 1:02:03. */
export const duration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};
