/** What the command line asks for. */
import { parseArgs } from "node:util";
import { wholeNumber } from "./command-line.ts";

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

/** Throws an Error that says what is wrong. */
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
  if (unknown !== undefined) throw new Error(`--only names "${unknown}"; there are ${partNames.join(", ")}.`);
  return {
    events: wholeNumber(values.events, "events"),
    connections: wholeNumber(values.connections, "connections"),
    parts: new Set(partNames.filter((part) => wanted.includes(part))),
    latencySeconds: wholeNumber(values["latency-seconds"], "latency-seconds"),
    json: values.json,
  };
};
