// A lock on a file that names its owner's pid. A lock whose owner is gone counts for nothing.
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, but belongs to another user.
    return error.code === "EPERM";
  }
};

const ownerOf = (path) => {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
};

/** The pid that holds the lock, or undefined when nobody alive does. */
export const lockedBy = (path) => {
  const owner = ownerOf(path);
  return owner > 0 && isAlive(owner) ? owner : undefined;
};

/** Takes the lock, or gives the pid of who has it. */
export const tryLock = (path) => {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (;;) {
      try {
        // A link appears whole or not at all, pid included.
        linkSync(mine, path);
        return undefined;
      } catch (error) {
        if (error.code !== "EEXIST") throw error;
      }
      const owner = lockedBy(path);
      if (owner !== undefined) return owner;
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(mine);
  }
};

export const unlock = (path) => {
  if (ownerOf(path) === process.pid) rmSync(path, { force: true });
};

/** Does `work` under the lock; waits for whoever holds it. */
export const withLock = async (path, work) => {
  let said = false;
  for (let owner = tryLock(path); owner !== undefined; owner = tryLock(path)) {
    if (!said) console.log(`  … process ${owner} is preparing this checkout already; waiting for it`);
    said = true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  try {
    return await work();
  } finally {
    unlock(path);
  }
};
