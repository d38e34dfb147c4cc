import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { decryptObject, type KeyOf, ObjectRefused } from "@astralog/schemas/encrypted-object";
import type { Command } from "commander";
import type { Cli } from "../cli.ts";
import { clientKeysOf } from "../client-keys.ts";
import { Failure } from "../failure.ts";
import { plural, printable } from "../text.ts";

interface Options {
  readonly keyFile?: string;
  readonly to?: string;
}

const help = `
It asks nobody: no server, no login. Nothing of an object is written before all of it has proved itself; one that was changed, cut,
or put together of others is refused, and the exit code is 1. The name that an object was encrypted with is printed, and is what
its file is called below --to, whatever the encrypted file is called.

Keys: --key-file FILE, or ASTRALOG_CLIENT_KEYS; several, one a line, where the connection's key was renewed.

  $ aws s3 sync s3://acme-logs/astralog/sto_… encrypted/
  $ astralog storage decrypt encrypted/ --key-file bucket.key --to plain/
  $ aws s3 cp s3://acme-logs/…/0-….parquet - | astralog storage decrypt --key-file bucket.key > one.parquet`;

/** Every file below, in order. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .flatMap((one) => (one.isFile() ? [join(one.parentPath, one.name)] : []))
    .sort();

/** Throws a Failure. */
const opened = (keyOf: KeyOf, bytes: Buffer, from: string): { name: string; plain: Buffer } => {
  try {
    return decryptObject(keyOf, bytes);
  } catch (error) {
    if (error instanceof ObjectRefused) throw new Failure(`${printable(from)}: ${error.message}`);
    throw error;
  }
};

const read = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure(`${printable(path)} cannot be read: ${(error as NodeJS.ErrnoException).code}.`);
  }
};

/** Nothing that is there is replaced. */
const write = (path: string, plain: Buffer): void => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, plain, { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Failure(
      code === "EEXIST"
        ? `${printable(path)} is there already; give a place that is not.`
        : `${printable(path)} cannot be written: ${code}.`,
    );
  }
};

/** `storage decrypt`. */
export const addStorageDecrypt = (storage: Command, { terminal, setExitCode, config }: Cli): void => {
  const decryptFolder = (keyOf: KeyOf, folder: string, to: string): void => {
    let done = 0;
    let refused = 0;
    for (const path of filesBelow(folder)) {
      try {
        const { name, plain } = opened(keyOf, read(path), path);
        if (name.split("/").some((part) => /^\.*$/.test(part) || part.includes("\\")))
          throw new Failure(`${printable(path)}: its name, ${printable(name)}, is no path.`);
        write(join(to, name), plain);
        done += 1;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        terminal().err(`${error.message}\n`);
        refused += 1;
      }
    }
    terminal().err(`${plural(done, "object")} decrypted, ${refused} refused\n`);
    if (refused > 0 || done === 0) setExitCode(1);
  };

  storage
    .command("decrypt")
    .description(
      "Decrypts objects of a bucket with client-side encryption, offline: a file, a folder, or what is piped in.",
    )
    .argument("[path]", "a file or a folder; left out or -: standard input")
    .option("--key-file <file>", "its keys in base64, one a line; else ASTRALOG_CLIENT_KEYS")
    .option("--to <path>", "where to write: a file, of a folder a folder; left out: standard output")
    .addHelpText("after", help)
    .action(async (path: string | undefined, { keyFile, to }: Options) => {
      const keyOf = clientKeysOf(keyFile, config().ASTRALOG_CLIENT_KEYS);
      const piped = path === undefined || path === "-";
      if (!piped && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
        if (to === undefined) throw new Failure("Of a folder, say where to write: --to FOLDER.", "", 2);
        return decryptFolder(keyOf, path, to);
      }
      const bytes = piped ? await buffer(terminal().input) : read(path);
      const { name, plain } = opened(keyOf, bytes, piped ? "standard input" : path);
      if (to !== undefined) write(to, plain);
      else await terminal().outBytes(plain);
      terminal().err(`${printable(name)}\n`);
    });
};
