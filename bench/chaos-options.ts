/** What the command line asks of the fault tests. */
import { parseArgs } from "node:util";
import { wholeNumber } from "./command-line.ts";
import type { Fault } from "./fault.ts";
import { faults } from "./faults/index.ts";

export const usage = `npm run chaos -- [--only R1,R4] [--scale 0.1] [--rate 2000] [--report docs] [--json]

  --only    these tests; R1 means all that begin with R1-
  --scale   how much of the full form: 1 is all of it
  --rate    events sent in a second
  --report  a folder whose reliability.md and .json are brought up to date with what ran
  --json    the outcomes as JSON

${faults.map(({ id, title }) => `  ${id.padEnd(13)} ${title}`).join("\n")}

The exit code is 1 when a promise was broken.`;

export interface ChaosOptions {
  readonly chosen: readonly Fault[];
  readonly scale: number;
  readonly eventsPerSecond: number;
  /** "": none is written. */
  readonly report: string;
  readonly json: boolean;
}

/** Throws an Error that says what is wrong. */
export const readChaosOptions = (args: readonly string[]): ChaosOptions => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: "" },
      scale: { type: "string", default: "1" },
      rate: { type: "string", default: "2000" },
      report: { type: "string", default: "" },
      json: { type: "boolean", default: false },
    },
  });
  const names = ({ id }: Fault, each: string): boolean => id === each || id.startsWith(`${each}-`);
  const wanted = values.only.split(",").filter((id) => id !== "");
  const unknown = wanted.find((each) => !faults.some((fault) => names(fault, each)));
  if (unknown !== undefined) throw new Error(`--only names "${unknown}", which is none of the tests.`);
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale is "${values.scale}"; it takes a number up to 1, above 0.`);
  return {
    chosen: faults.filter((fault) => wanted.length === 0 || wanted.some((each) => names(fault, each))),
    ...{ scale, eventsPerSecond: wholeNumber(values.rate, "rate"), report: values.report, json: values.json },
  };
};
