/**
 * Where a page ended, as opaque text. It pins `now` too, so that "-15m" means the same on every page. A cursor only
 * moves the window's edge: whatever stands in it, the tenant's own filters stay.
 */
import { Fault } from "@astralog/chassis";
import { type EventAt, formatEventId, parseEventId } from "@astralog/schemas";

export interface Cursor {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The last event of the page, nanoseconds since the epoch. */
  readonly timestamp: bigint;
  readonly at: EventAt;
}

const version = "1";

export const formatCursor = ({ now, timestamp, at }: Cursor): string =>
  Buffer.from(`${version} ${now} ${timestamp} ${formatEventId(at)}`).toString("base64url");

/** Faults: `invalid_cursor`. */
export const parseCursor = (text: string): Cursor => {
  const plain = Buffer.from(text, "base64url").toString("utf8");
  const [, given, now = "", timestamp = "", id = ""] = /^(\S) (\d{13}) (-?\d{1,19}) (\S{1,300})$/.exec(plain) ?? [];
  const at = parseEventId(id);
  if (given !== version || at === undefined) {
    throw new Fault("invalid_cursor", "Give back `next` of the page before, unchanged, or leave the cursor out.");
  }
  return { now: Number(now), timestamp: BigInt(timestamp), at };
};
