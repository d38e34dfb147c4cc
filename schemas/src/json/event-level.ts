/**
 * Levels from text and numbers. A number means a level only where its scale is certain: by the member's name, or, under
 * a plain `level`, when it is one of pino's and bunyan's tens. Anything else stays an attribute.
 */
import { levelFromText, levelName } from "../levels.ts";

/** pino and bunyan: 10 trace to 60 fatal. */
const tens = new Map([
  [10, 1],
  [20, 5],
  [30, 9],
  [40, 13],
  [50, 17],
  [60, 21],
]);
/** Python's logging: 10 debug to 50 critical. */
const python = new Map([
  [10, 5],
  [20, 9],
  [30, 13],
  [40, 17],
  [50, 18],
]);
/** Syslog and journald: 0 emergency to 7 debug, as the OpenTelemetry log data model maps them. */
const syslog = [21, 19, 18, 17, 13, 10, 9, 5] as const;

const scales: Record<string, "syslog" | "python" | "otel"> = {
  PRIORITY: "syslog",
  "syslog.severity.code": "syslog",
  levelno: "python",
  severity_number: "otel",
  severityNumber: "otel",
};

/** The SeverityNumber that number `value` of member `name` stands for, or undefined. */
export const levelOfNumber = (name: string, value: number): number | undefined => {
  switch (Object.hasOwn(scales, name) ? scales[name] : undefined) {
    case "syslog":
      return syslog[value];
    case "python":
      return python.get(value);
    case "otel":
      return Number.isInteger(value) && value >= 1 && value <= 24 ? value : undefined;
    default:
      return tens.get(value);
  }
};

export interface Level {
  readonly number: number;
  /** Whether the number says all that the text said; if not, the text is kept beside it. */
  readonly whole: boolean;
}

/** The level that `text` of member `name` stands for, or undefined. */
export const levelOfText = (name: string, text: string): Level | undefined => {
  const number = levelFromText(text);
  if (number !== undefined) return { number, whole: levelName(number) === text.toLowerCase() };
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const counted = levelOfNumber(name, Number(text));
  return counted === undefined ? undefined : { number: counted, whole: true };
};
