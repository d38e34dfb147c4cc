/** The streams a command speaks to, and whether a person watches. Data goes to `out`, words about it to `err`. */
import type { Readable } from "node:stream";
import pc from "picocolors";
import type { CliConfig } from "./config.ts";

export type Colors = ReturnType<typeof pc.createColors>;

export interface Terminal {
  readonly input: Readable & { isTTY?: boolean };
  /** What the command was asked for; nothing else, so that it can be piped. */
  out(text: string): void;
  /** Like `out`, as it came; resolves when the reader has room for more. */
  outBytes(piece: Buffer): Promise<void> | undefined;
  /** Notes, progress, questions. */
  err(text: string): void;
  readonly outColors: Colors;
  readonly errColors: Colors;
  /** Columns of a progress line, or 0 when nobody watches. */
  readonly progressColumns: number;
  /** Whether a question would be answered. */
  readonly interactive: boolean;
}

const colorsFor = (config: CliConfig, isTTY: boolean): Colors =>
  pc.createColors(config.NO_COLOR === "" && (isTTY || config.FORCE_COLOR !== ""));

export const processTerminal = (config: CliConfig): Terminal => {
  const { stdin, stdout, stderr } = process;
  // A reader that has seen enough, such as head, is no error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    input: stdin,
    out: (text) => void stdout.write(text),
    outBytes: (piece) =>
      stdout.write(piece) || stdout.destroyed
        ? undefined
        : new Promise((resolve) => stdout.once("drain", resolve).once("close", resolve)),
    err: (text) => void stderr.write(text),
    outColors: colorsFor(config, stdout.isTTY === true),
    errColors: colorsFor(config, stderr.isTTY === true),
    progressColumns: stderr.isTTY ? (stderr.columns ?? 80) : 0,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
  };
};
