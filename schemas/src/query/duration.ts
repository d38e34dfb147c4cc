/** Spans of time and sizes as people write them, and how a field's own name says what its plain numbers mean. */

/** Nanoseconds. */
export const durationUnits: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
  d: 8.64e13,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const measured = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+))(ns|us|µs|ms|[smhd]|B|[kKMGT]B|[KMGT]iB)$/;

export type Measure = { readonly kind: "duration" | "size"; readonly value: number };

/** 1.5s in nanoseconds, 10KiB in bytes; undefined for anything else. */
export const readMeasure = (text: string): Measure | undefined => {
  const [, number = "", unit = ""] = measured.exec(text) ?? [];
  const [nanos, bytes] = [durationUnits[unit], sizeUnits[unit]];
  if (nanos !== undefined) return { kind: "duration", value: Number(number) * nanos };
  return bytes === undefined ? undefined : { kind: "size", value: Number(number) * bytes };
};

const suffixes: readonly (readonly [RegExp, number])[] = [
  [/(?:_ns|_nanos|_nanoseconds|Nanos|Ns|\.ns)$/, 1],
  [/(?:_us|_µs|_micros|_microseconds|Micros|Us|\.us)$/, 1e3],
  [/(?:_s|_sec|_secs|_seconds|Seconds|Secs|\.s)$/, 1e9],
  [/(?:_m|_min|_minutes|Minutes)$/, 6e10],
];

/** Nanoseconds in one of a field's plain numbers, as its name says; milliseconds when it says nothing. */
export const unitOf = (path: string): number => suffixes.find(([suffix]) => suffix.test(path))?.[1] ?? 1e6;

const plain = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Text as a number exactly as ClickHouse's toFloat64OrNull reads it; NaN when it is none, and NaN is in no range. */
export const numberIn = (text: string): number => {
  if (plain.test(text)) return Number(text);
  const named = /^([+-]?)inf(?:inity)?$/i.exec(text);
  return named === null ? Number.NaN : named[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
};

const endings = /(?:ns|us|µs|ms|s|m|h|d)$/;

/** Text as nanoseconds: with a unit of its own ("12.5ms"), or in the field's unit. */
export const nanosecondsIn = (text: string, unit: number): number => {
  const ending = endings.exec(text)?.[0] ?? "";
  return (
    numberIn(text.slice(0, text.length - ending.length)) * (ending === "" ? unit : (durationUnits[ending] ?? unit))
  );
};
