/**
 * Follows files that others append to. The services write to their files themselves, so a slow terminal, or none, never
 * holds one up.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";

export interface Follower {
  /** Reads what is there now and stops. */
  close(): void;
}

const pollMs = 150;
const chunk = Buffer.alloc(65_536);

/** Calls `onLine` with each whole line that is appended to `path` from now on; the file may not exist yet. */
export const follow = (path: string, onLine: (line: string) => void): Follower => {
  const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let position = size();
  let rest = Buffer.alloc(0);
  const read = (): void => {
    const end = size();
    // It was rotated: a new file has begun.
    if (end < position) position = 0;
    if (end === position) return;
    const file = openSync(path, "r");
    try {
      while (position < end) {
        const length = readSync(file, chunk, 0, Math.min(chunk.length, end - position), position);
        if (length === 0) break;
        position += length;
        rest = Buffer.concat([rest, chunk.subarray(0, length)]);
        for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
          onLine(rest.toString("utf8", 0, at));
          rest = rest.subarray(at + 1);
        }
      }
    } finally {
      closeSync(file);
    }
  };
  const timer = setInterval(read, pollMs);
  return {
    close: () => {
      clearInterval(timer);
      read();
    },
  };
};
