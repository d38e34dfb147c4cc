/** What `send` reads: files by name, `-` for standard input. */
import { createReadStream, statSync } from "node:fs";
import type { Readable } from "node:stream";
import { Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface Input {
  readonly name: string;
  /** Bytes, or 0 when unknown. */
  readonly size: number;
  open(): Readable;
}

/** Checks all names before anything is sent. */
export const openInputs = (names: readonly string[], terminal: Terminal): Input[] => {
  if (names.length === 0 && terminal.input.isTTY === true) {
    throw new Failure("There is nothing to send.", "Name a file, or pipe lines in: tail -f app.log | astralog send", 2);
  }
  return (names.length === 0 ? ["-"] : names).map((name) => {
    if (name === "-") return { name: "standard input", size: 0, open: () => terminal.input };
    let stat: ReturnType<typeof statSync>;
    try {
      stat = statSync(name);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      throw new Failure(missing ? `There is no file ${name}.` : `${name} cannot be read: ${(error as Error).message}`);
    }
    if (stat?.isDirectory()) throw new Failure(`${name} is a folder.`, `Name the files in it: ${name}/*`);
    return {
      name,
      size: stat?.isFile() ? stat.size : 0,
      open: () => createReadStream(name, { highWaterMark: 1 << 18 }),
    };
  });
};
