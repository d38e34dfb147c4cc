/** Which of an archive's objects a query opens. */
import type { Window } from "../search/scope.ts";

const dayNs = 86_400_000_000_000n;
/** A window of more days is listed whole. */
const mostDays = 62n;
/** What one query may open. */
export const mostObjects = 10_000;

/** The days that a window's events may lie under; undefined: any. `to` is not in the window. */
export const daysOf = ({ from, to }: Window, now: number): string[] | undefined => {
  if (from === undefined || from < 0n) return undefined;
  // What is dated further ahead lies under `other`.
  const end = to ?? BigInt(now) * 1_000_000n + 3n * dayNs;
  const [first, last] = [from / dayNs, (end > from ? end - 1n : from) / dayNs];
  if (last - first >= mostDays) return undefined;
  return Array.from({ length: Number(last - first) + 1 }, (_, i) =>
    new Date((Number(first) + i) * 86_400_000).toISOString().slice(0, 10),
  );
};
