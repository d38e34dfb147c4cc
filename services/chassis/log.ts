/**
 * Logs are one JSON object a line on standard output. Field values cannot forge a line: JSON escapes CR, LF and the
 * escape character, and what could reorder text on a terminal is escaped here too.
 */
import pino, { type Logger } from "pino";

export type Log = Logger;

// Bidirectional controls and the C1 range pass through JSON.stringify as they are.
const unsafe = /[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g;
const escapeUnsafe = (text: string): string =>
  text.replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

export const createLog = (service: string, level: string, out: NodeJS.WritableStream = process.stdout): Log =>
  pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          "authorization",
          "cookie",
          "key",
          "password",
          "secret",
          "token",
          "*.authorization",
          "*.cookie",
          "*.password",
          "*.secret",
          "*.token",
        ],
        censor: "[hidden]",
      },
      serializers: { err: errorFields },
    },
    { write: (line: string) => void out.write(escapeUnsafe(line)) },
  );

/** An error as fields: its own name, code, message and stack, and those of its causes. */
const errorFields = (error: unknown): unknown => {
  if (!(error instanceof Error)) return { message: String(error) };
  const code = (error as { code?: unknown }).code;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    stack: error.stack,
    ...(error.cause === undefined ? {} : { cause: errorFields(error.cause) }),
  };
};
