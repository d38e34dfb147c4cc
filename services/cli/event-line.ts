/** An event as one line for reading: time, level, service, message, then the attributes dimmed. */
import type { FoundEvent } from "./api.ts";
import type { Colors } from "./terminal.ts";
import { printable } from "./text.ts";

const paint = (level: string, colors: Colors): ((text: string) => string) => {
  switch (level) {
    case "fatal":
      return (text) => colors.bold(colors.red(text));
    case "error":
      return colors.red;
    case "warn":
      return colors.yellow;
    case "info":
      return colors.green;
    case "debug":
      return colors.cyan;
    default:
      return colors.dim;
  }
};

const plainValue = /^[\w.:/@+-]+$/;

const attribute = ([name, value]: [string, unknown]): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `${printable(name)}=${plainValue.test(text) ? text : typeof value === "string" ? printable(JSON.stringify(text)) : printable(text)}`;
};

/** Milliseconds are enough for reading; --json has every digit. */
const shortTime = (timestamp: string): string => {
  const at = new Date(timestamp);
  return Number.isNaN(at.getTime()) ? printable(timestamp) : at.toISOString();
};

export const eventLine = (event: FoundEvent, colors: Colors): string => {
  const level = (event.level || "-").toUpperCase().padEnd(5);
  const extra = Object.entries(event.attributes ?? {}).map(attribute);
  if (event.trace_id) extra.push(`trace_id=${printable(event.trace_id)}`);
  return [
    colors.dim(shortTime(event.timestamp)),
    paint(event.level, colors)(level),
    ...(event.service ? [colors.bold(printable(event.service))] : []),
    printable(event.message),
    ...(extra.length > 0 ? [colors.dim(extra.join(" "))] : []),
  ].join(" ");
};
