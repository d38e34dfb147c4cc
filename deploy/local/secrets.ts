/**
 * The passwords of one stack: made at its first start, kept in a file only its owner reads, reused at every later one.
 * A name that is new since then gets its password when it is first asked for.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Letters and digits, so that it needs no quoting in any server's configuration. */
export const newPassword = (): string => randomBytes(24).toString("hex");

/** Writes all of it or nothing, readable by the owner alone. */
export const writePrivate = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

export interface Secrets {
  of(name: string, make?: () => string): string;
}

export const openSecrets = (path: string): Secrets => {
  const kept = new Map<string, string>(
    existsSync(path) ? Object.entries(JSON.parse(readFileSync(path, "utf8")) as Record<string, string>) : [],
  );
  return {
    of: (name, make = newPassword) => {
      const known = kept.get(name);
      if (known !== undefined) return known;
      const made = make();
      kept.set(name, made);
      writePrivate(path, `${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`);
      return made;
    },
  };
};
