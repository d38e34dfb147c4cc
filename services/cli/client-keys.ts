/** Keys of buckets whose objects are encrypted before they leave Astralog, in files of the person at the keyboard. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { clientKeyId, type KeyOf, newClientKey, readClientKey } from "@astralog/schemas/encrypted-object";
import { Failure } from "./failure.ts";

const form = "A key is 32 bytes in base64, one a line; lines that begin with # say what they are for.";

const parse = (text: string, where: string): Buffer[] =>
  text
    .split(/[\r\n,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line, i) => {
      const key = readClientKey(line);
      if (key === undefined) throw new Failure(`${where}: key ${i + 1} is none.`, form, 2);
      return key;
    });

const readText = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`, form, 2);
  }
};

/** From a file, or from the environment: never from arguments, which others see. */
export const clientKeysOf = (file: string | undefined, fromEnvironment: string): KeyOf => {
  const keys = file === undefined ? parse(fromEnvironment, "ASTRALOG_CLIENT_KEYS") : parse(readText(file), file);
  if (keys.length === 0)
    throw new Failure("There is no key.", `Give --key-file FILE, or set ASTRALOG_CLIENT_KEYS. ${form}`, 2);
  const byId = new Map(keys.map((key) => [clientKeyId(key), key]));
  return (id) => byId.get(id);
};

/**
 * The one key of a file; where there is no such file, one is made here and kept there first, so that a key which the bucket is
 * encrypted under is never lost between two steps.
 */
export const clientKeyIn = (file: string): { key: string; made: boolean } => {
  if (!existsSync(file)) {
    const key = newClientKey().toString("base64");
    const text = `# Client key ${clientKeyId(Buffer.from(key, "base64"))} of an Astralog bucket. Whoever has it can read what is there.\n${key}\n`;
    try {
      writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    } catch (error) {
      throw new Failure(`${file} cannot be written: ${(error as NodeJS.ErrnoException).code}.`, "", 2);
    }
    return { key, made: true };
  }
  const [key, ...more] = parse(readText(file), file);
  if (key === undefined || more.length > 0)
    throw new Failure(`${file} must hold one key.`, `${form} Give a file that is not there yet to have one made.`, 2);
  return { key: key.toString("base64"), made: false };
};
