/** One line of a service's log as a person wants to read it: time, service, level, message, then the fields that matter. */
import pc from "picocolors";

const serviceColours = {
  receiver: pc.cyan,
  redactor: pc.magenta,
  sink: pc.blue,
  alerter: pc.yellow,
  retention: pc.white,
  api: pc.green,
} as const;
const levelColours = {
  trace: pc.dim,
  debug: pc.dim,
  info: (text: string) => text,
  warn: pc.yellow,
  error: pc.red,
  fatal: pc.red,
} as const;

const nameWidth = Math.max(...Object.keys(serviceColours).map((name) => name.length));
const quiet = new Set(["level", "time", "pid", "service", "msg", "err", "hostname"]);

// What could move a terminal's cursor, colour it or reorder its text must arrive as visible text.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;
const visible = (text: string): string =>
  text.replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

const field = ([name, value]: [string, unknown]): string =>
  pc.dim(`${visible(name)}=${visible(typeof value === "string" ? value : (JSON.stringify(value) ?? ""))}`);

/** An error's own words and those of its causes; the stack only when it is a bug that nobody named with a code. */
const errorLines = (error: unknown): string[] => {
  if (typeof error !== "object" || error === null) return [];
  const { name, message, code, stack, cause } = error as Record<string, unknown>;
  const head = `${String(name)}${code === undefined ? "" : ` ${String(code)}`}: ${String(message)}`;
  const frames =
    code === undefined && typeof stack === "string"
      ? stack
          .split("\n")
          .filter((line) => /^\s+at /.test(line))
          .slice(0, 5)
      : [];
  return [head, ...frames, ...errorLines(cause).map((line) => `caused by ${line}`)].map(visible);
};

const colourOf = <T extends Record<string, (text: string) => string>>(
  table: T,
  name: string,
): ((text: string) => string) => table[name] ?? ((text) => text);

export const formatLogLine = (service: string, line: string): string => {
  const name = colourOf(serviceColours, service)(service.padEnd(nameWidth));
  let entry: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed !== "object" || parsed === null) throw new Error("not an object");
    entry = parsed as Record<string, unknown>;
  } catch {
    return `${pc.dim("            ")} ${name} ${visible(line)}`;
  }
  const level = typeof entry.level === "string" ? entry.level : "info";
  const colour = colourOf(levelColours, level);
  const time = typeof entry.time === "string" ? entry.time.slice(11, 23) : "";
  const fields = Object.entries(entry)
    .filter(([key]) => !quiet.has(key))
    .map(field);
  const message = colour(visible(String(entry.msg ?? "")));
  const head = [pc.dim(time.padEnd(12)), name, colour(level.padEnd(5)), message, ...fields].join(" ");
  return [head, ...errorLines(entry.err).map((text) => `             ${" ".repeat(nameWidth)} ${pc.red(text)}`)].join(
    "\n",
  );
};
