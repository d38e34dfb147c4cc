/** A folder on this machine's disk as a bucket: the same names, and an object is there whole or not at all. */
import { randomBytes } from "node:crypto";
import { link, mkdir, open, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "../fault.ts";
import type { Bucket, Listed } from "./bucket.ts";

const isGone = (error: unknown): boolean => ["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Begins the names of what is still being written; lists do not show it. */
const unfinished = ".writing-";

export const createFolder = (root: string): Bucket => {
  const at = (name: string): string => {
    if (name.split("/").some((part) => /^\.*$/.test(part))) throw new Error(`${name} is no name of an object`);
    return join(root, name);
  };
  const failing = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new Fault("storage_failed", `The disk could not ${what}: ${(error as NodeJS.ErrnoException).code}.`, {
        ...{ retriable: true, cause: error },
      });
    }
  };
  const orGone = <T>(what: string, work: () => Promise<T>): Promise<T | undefined> =>
    failing(what, () =>
      work().catch((error: unknown) => {
        if (isGone(error)) return undefined;
        throw error;
      }),
    );

  /** Below a prefix that may end within a name. */
  const walk = async (prefix: string): Promise<string[]> => {
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const found = (await orGone("list", () => readdir(join(root, folder), { withFileTypes: true }))) ?? [];
    const names: string[] = [];
    for (const one of found) {
      const name = folder + one.name;
      if (!name.startsWith(prefix) || one.name.startsWith(unfinished)) continue;
      if (one.isDirectory()) names.push(...(await walk(`${name}/`)));
      else names.push(name);
    }
    return names;
  };

  return {
    putNew: (name, body) =>
      failing("write", async () => {
        const path = at(name);
        const folder = dirname(path);
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const temporary = join(folder, unfinished + randomBytes(9).toString("hex"));
        try {
          const file = await open(temporary, "wx", 0o600);
          try {
            await file.writeFile(body);
            await file.sync();
          } finally {
            await file.close();
          }
          // A link is made where no name is: of two at a time one makes it.
          await link(temporary, path);
          return true;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
          throw error;
        } finally {
          await rm(temporary, { force: true });
        }
      }),
    get: (name) => orGone("read", () => readFile(at(name))),
    getRange: (name, first, last) =>
      orGone("read", async () => {
        const file = await open(at(name), "r");
        try {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(last - first + 1), 0, last - first + 1, first);
          return buffer.subarray(0, bytesRead);
        } finally {
          await file.close();
        }
      }),
    list: async (prefix, { after = "", most = 1_000 } = {}) => {
      const names = (await walk(prefix)).filter((name) => name > after).sort((a, b) => (a < b ? -1 : 1));
      const listed = await Promise.all(
        names.slice(0, most).map(async (name): Promise<Listed[]> => {
          const found = await orGone("read", () => stat(at(name)));
          return found === undefined ? [] : [{ name, bytes: found.size, modified: found.mtimeMs }];
        }),
      );
      return listed.flat();
    },
    remove: async (name) => {
      await failing("delete", () => rm(at(name), { force: true }));
      // Folders that are empty now go, too; one that is not stays.
      for (let folder = dirname(name); folder !== "."; folder = dirname(folder)) {
        const gone = await rmdir(join(root, folder)).then(
          () => true,
          () => false,
        );
        if (!gone) return;
      }
    },
  };
};
