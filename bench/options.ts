/** What the command line asks for. */
import { parseArgs } from "node:util";

export const partNames = [
  "discard",
  "clickhouse",
  "pipeline",
  "sink",
  "archive",
  "native",
  "latency",
  "search",
  "deletion",
  "alerts",
] as const;
export type Part = (typeof partNames)[number];

export interface Options {
  readonly events: number;
  readonly connections: number;
  readonly parts: ReadonlySet<Part>;
  readonly latencySeconds: number;
  readonly json: boolean;
}

export const usage = `npm run bench -- [--events 2000000] [--only ${partNames.join(",")}] [--connections 8] [--latency-seconds 20] [--json]`;

const whole = (text: string, name: string): number => {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1)
    throw new Error(`--${name} is "${text}"; it takes a whole number from 1.\n${usage}`);
  return n;
};

/** Throws an Error with the usage when something is wrong. */
export const readOptions = (args: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: "string", default: "2000000" },
      connections: { type: "string", default: "8" },
      only: { type: "string", default: partNames.join(",") },
      "latency-seconds": { type: "string", default: "20" },
      json: { type: "boolean", default: false },
    },
  });
  const wanted = values.only.split(",");
  const unknown = wanted.find((name) => !partNames.some((part) => part === name));
  if (unknown !== undefined) throw new Error(`--only names "${unknown}"; there are ${partNames.join(", ")}.\n${usage}`);
  return {
    events: whole(values.events, "events"),
    connections: whole(values.connections, "connections"),
    parts: new Set(partNames.filter((part) => wanted.includes(part))),
    latencySeconds: whole(values["latency-seconds"], "latency-seconds"),
    json: values.json,
  };
};
