/** Levels as OpenTelemetry's SeverityNumber: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal; 0 unspecified. */

export const levelNames = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type LevelName = (typeof levelNames)[number];

/** The names other systems use, all lower case. Syslog's severities map as the OpenTelemetry log data model says. */
const numberOf: Record<string, number> = {
  trace: 1,
  trace2: 2,
  trace3: 3,
  trace4: 4,
  verbose: 1,
  silly: 1,
  finest: 1,
  debug: 5,
  debug2: 6,
  debug3: 7,
  debug4: 8,
  fine: 5,
  dbg: 5,
  d: 5,
  info: 9,
  info2: 10,
  info3: 11,
  info4: 12,
  information: 9,
  informational: 9,
  notice: 10,
  log: 9,
  i: 9,
  warn: 13,
  warn2: 14,
  warn3: 15,
  warn4: 16,
  warning: 13,
  w: 13,
  error: 17,
  error2: 18,
  error3: 19,
  error4: 20,
  err: 17,
  severe: 17,
  e: 17,
  critical: 18,
  crit: 18,
  alert: 19,
  fatal: 21,
  fatal2: 22,
  fatal3: 23,
  fatal4: 24,
  emergency: 21,
  emerg: 21,
  panic: 21,
  f: 21,
};

/** SeverityNumber for a level as text in any case; undefined when the text names none. */
export const levelFromText = (text: string): number | undefined => {
  const key = text.length < 16 ? text.trim().toLowerCase() : "";
  return Object.hasOwn(numberOf, key) ? numberOf[key] : undefined;
};

/** "info" for 9 to 12 and so on; "" for 0 and anything out of range. */
export const levelName = (severity: number): LevelName | "" =>
  severity >= 1 && severity <= 24 ? (levelNames[(severity - 1) >> 2] ?? "") : "";

/** The first and last SeverityNumber of a level. */
export const levelRange = (name: LevelName): readonly [number, number] => {
  const first = levelNames.indexOf(name) * 4 + 1;
  return [first, first + 3];
};
