/**
 * Times as clients write them, read from bytes to millis and nanos without a bigint or a Date: this runs per event.
 *
 * Text: RFC 3339 in any precision (finer than nanoseconds is cut), also with a space for the T, a comma for the point,
 * an offset without its colon, or no zone at all (UTC). Numbers, also as text: seconds, milliseconds, microseconds or
 * nanoseconds since 1970 by magnitude, with as many decimals as fit. Below 10⁸ a number is no time: it is more likely
 * a duration or a counter that is called `time`.
 */

/** Seconds below this magnitude, milliseconds below the next, and so on: each unit covers 1973 to beyond 5000. */
const least = 1e8;
const units = [
  { below: 1e11, digits: 9 },
  { below: 1e14, digits: 6 },
  { below: 1e17, digits: 3 },
  { below: Number.POSITIVE_INFINITY, digits: 0 },
] as const;

/** What the storage can hold: from 1900 to the end of 64-bit nanoseconds. */
export const earliest = "1900-01-01T00:00:00Z";
export const latest = "2262-04-11T23:47:16.854775807Z";
const minMillis = Date.UTC(1900, 0, 1);
const maxMillis = 9_223_372_036_854;
const maxNanos = 775_807;

export type TimeVerdict = "time" | "no_time" | "out_of_range";

/** The last time read. */
export const instant = { millis: 0, nanos: 0 };

/** Takes a time that is split already. On "time" the result stands in `instant`. */
export const settle = (millis: number, nanos: number): TimeVerdict => {
  if (millis < minMillis || millis > maxMillis || (millis === maxMillis && nanos > maxNanos)) return "out_of_range";
  // 0 and -1 ns mean something else in storage, and nobody's clock: the client's zero value.
  if ((millis === 0 && nanos === 0) || (millis === -1 && nanos === 999_999)) return "no_time";
  instant.millis = millis;
  instant.nanos = nanos;
  return "time";
};

const digit = (b: Buffer, i: number): number => {
  const d = (b[i] ?? 0) - 48;
  return d >= 0 && d <= 9 ? d : Number.NaN;
};
const two = (b: Buffer, i: number): number => digit(b, i) * 10 + digit(b, i + 1);

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar; NaN when there is no such day. */
const daysOf = (year: number, month: number, day: number): number => {
  if (!(month >= 1 && month <= 12 && day >= 1)) return Number.NaN;
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = month === 2 ? (leap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  if (day > last) return Number.NaN;
  // Years that begin in March put the leap day last.
  const y = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468;
};

/** Reads bytes start to end. On "time" the result stands in `instant`. */
export const readTimeText = (b: Buffer, start: number, end: number): TimeVerdict => {
  const length = end - start;
  if (length < 19 || b[start + 4] !== 45) {
    return length > 0 && length < 40 && isNumber(b, start, end) ? readTimeNumber(b, start, end) : "no_time";
  }
  const separator = b[start + 10];
  if (b[start + 7] !== 45 || b[start + 13] !== 58 || b[start + 16] !== 58) return "no_time";
  if (separator !== 84 && separator !== 116 && separator !== 32) return "no_time";
  const year = two(b, start) * 100 + two(b, start + 2);
  const days = daysOf(year, two(b, start + 5), two(b, start + 8));
  const hours = two(b, start + 11);
  const minutes = two(b, start + 14);
  const seconds = two(b, start + 17);
  // 60 is a leap second: the first moment of the next minute.
  if (!(hours <= 23 && minutes <= 59 && seconds <= 60) || Number.isNaN(days)) return "no_time";

  let i = start + 19;
  let milli = 0;
  let nanos = 0;
  if (i < end && (b[i] === 46 || b[i] === 44)) {
    const from = ++i;
    for (; i < end; i++) {
      const d = digit(b, i);
      if (Number.isNaN(d)) break;
      const place = i - from;
      if (place < 3) milli = milli * 10 + d;
      else if (place < 9) nanos = nanos * 10 + d;
    }
    const places = i - from;
    if (places === 0) return "no_time";
    if (places < 3) milli *= 10 ** (3 - places);
    if (places > 3 && places < 9) nanos *= 10 ** (9 - places);
  }
  const offset = readOffset(b, i, end);
  if (Number.isNaN(offset)) return "no_time";
  // What an unset time.Time says in Go; it means no time rather than a year that cannot be stored.
  if (year === 1 && days === -719_162) return "no_time";
  return settle((((days * 24 + hours) * 60 + minutes - offset) * 60 + seconds) * 1000 + milli, nanos);
};

/** Minutes east of UTC from what follows the seconds; NaN when it is no offset. */
const readOffset = (b: Buffer, i: number, end: number): number => {
  const c = b[i];
  if (i === end || ((c === 90 || c === 122) && i + 1 === end)) return 0;
  if (c !== 43 && c !== 45) return Number.NaN;
  const rest = end - i - 1;
  if (rest !== 2 && rest !== 4 && !(rest === 5 && b[i + 3] === 58)) return Number.NaN;
  const hours = two(b, i + 1);
  const minutes = rest === 2 ? 0 : two(b, end - 2);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return (c === 45 ? -1 : 1) * (hours * 60 + minutes);
};

const isNumber = (b: Buffer, start: number, end: number): boolean => {
  let points = 0;
  for (let i = b[start] === 45 ? start + 1 : start; i < end; i++) {
    if (b[i] === 46) points++;
    else if (Number.isNaN(digit(b, i))) return false;
  }
  return points <= 1 && !Number.isNaN(digit(b, end - 1));
};

/** Reads a JSON number at start to end. On "time" the result stands in `instant`. */
export const readTimeNumber = (b: Buffer, start: number, end: number): TimeVerdict => {
  const text = b.toString("latin1", start, end);
  const value = Number(text);
  const size = Math.abs(value);
  if (!(size >= least)) return "no_time";
  if (size > 9.3e18) return "out_of_range";
  const scale = units.find((unit) => size < unit.below)?.digits ?? 0;
  if (/[eE]/.test(text)) return settleNanoseconds(BigInt(Math.round(value)) * 10n ** BigInt(scale));
  return scaled(b, start, end, scale);
};

/** The number's digits with the decimal point moved `scale` places right, as nanoseconds. */
const scaled = (b: Buffer, start: number, end: number, scale: number): TimeVerdict => {
  const negative = b[start] === 45;
  let i = negative ? start + 1 : start;
  let point = i;
  while (point < end && b[point] !== 46) point++;
  const places = point - i + scale;
  let millis = 0;
  let nanos = 0;
  for (let place = 0; place < places; place++) {
    if (i === point) i++;
    const d = i < end ? (b[i] as number) - 48 : 0;
    i++;
    if (place < places - 6) millis = millis * 10 + d;
    else nanos = nanos * 10 + d;
  }
  if (!negative) return settle(millis, nanos);
  return nanos === 0 ? settle(-millis, 0) : settle(-millis - 1, 1_000_000 - nanos);
};

/** Nanoseconds since 1970 as two unsigned halves, as protobuf has them. On "time" the result stands in `instant`. */
export const settleHalves = (low: number, high: number): TimeVerdict => {
  // 2³² = 4294 × 10⁶ + 967296
  const rest = high * 967_296 + low;
  const carry = Math.floor(rest / 1_000_000);
  return settle(high * 4_294 + carry, rest - carry * 1_000_000);
};

/** Nanoseconds since 1970 as decimal digits. On "time" the result stands in `instant`. */
export const settleDigits = (text: string): TimeVerdict => settle(Number(text.slice(0, -6)), Number(text.slice(-6)));

const settleNanoseconds = (value: bigint): TimeVerdict => {
  const nanos = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return settle(Number((value - nanos) / 1_000_000n), Number(nanos));
};
