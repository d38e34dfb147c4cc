/** Times within a trace. Nanoseconds since 1970 do not fit into a number; nanoseconds since the trace began do. */
import type { EventView } from "./data.ts";
import { absolute, type Range } from "./time-range.ts";

const nanoseconds = (stamp: string): bigint => {
  const [seconds = "", fraction = ""] = stamp.replace("Z", "").split(".");
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9));
};

/** From one RFC 3339 stamp (UTC, up to nine digits) to another, in nanoseconds. */
export const nanosOf = (stamp: string, since: string): number => Number(nanoseconds(stamp) - nanoseconds(since));

/** Where events in their order begin, and how many nanoseconds they span. */
/** A window that holds all of them. */
export const rangeOf = (events: readonly Pick<EventView, "timestamp">[]): Range => {
  const [first = 0, last = 0] = [events[0], events.at(-1)].map((one) => Date.parse(one?.timestamp ?? ""));
  return absolute(first - 1_000, last + 1_000);
};

export const windowAround = (
  events: readonly Pick<EventView, "timestamp">[],
): readonly [from: string, span: number] => {
  const from = events[0]?.timestamp ?? "1970-01-01T00:00:00Z";
  return [from, nanosOf(events.at(-1)?.timestamp ?? from, from)];
};
