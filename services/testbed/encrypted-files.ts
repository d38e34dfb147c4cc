/** A bucket's files as its keeper sees them, and as who has the keys and asks nobody of ours. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { clientKeyId, decryptObject } from "@astralog/schemas/encrypted-object";

/** Undefined for one that has gone meanwhile. */
const readNow = (path: string): Buffer | undefined => {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

function* filesIn(folder: string): Generator<{ name: string; bytes: Buffer }> {
  if (!existsSync(folder)) return;
  for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(one.parentPath, one.name);
    // What the server of buckets is still writing has a name of its own.
    const bytes = one.isFile() && /\.(?:parquet|json)$/.test(one.name) ? readNow(path) : undefined;
    if (bytes !== undefined) yield { name: path.slice(folder.length + 1), bytes };
  }
}

/** All of a connection's folder, under the same names below `to`, anew. Returns how many each key had encrypted, by its id. */
export const decryptFiles = (folder: string, to: string, keys: readonly string[]): Map<string, number> => {
  const byId = new Map(keys.map((text) => Buffer.from(text, "base64")).map((key) => [clientKeyId(key), key]));
  const counts = new Map<string, number>();
  rmSync(to, { recursive: true, force: true });
  for (const { name: path, bytes } of filesIn(folder)) {
    const { keyId, name, plain } = decryptObject((id) => byId.get(id), bytes);
    if (name !== path) throw new Error(`${path} is ${name}`);
    mkdirSync(dirname(join(to, name)), { recursive: true });
    writeFileSync(join(to, name), plain);
    counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
  }
  return counts;
};

/** Which of these words can be read in the folder's files as they lie there, and in how many files it was looked. */
export const readableIn = (folder: string, words: readonly string[]): { files: number; found: string[] } => {
  const files = [...filesIn(folder)];
  const found = files.flatMap(({ name, bytes }) =>
    words.filter((word) => bytes.includes(word)).map((word) => `${name}: ${word}`),
  );
  return { files: files.length, found };
};
