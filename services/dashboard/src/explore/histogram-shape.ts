/** Counts to stacks, worst on top of the eye's way: errors stand at the bottom, where they are never cut off. */
import { levels } from "./data.ts";

export interface Stack {
  readonly total: number;
  readonly parts: readonly (readonly [level: string, count: number])[];
}

export const stackOf = (counts: Readonly<Record<string, number>>): Stack => {
  const named = new Set<string>(levels);
  const rest = Object.entries(counts)
    .filter(([level]) => !named.has(level))
    .reduce((sum, [, count]) => sum + count, 0);
  const parts: [string, number][] = levels.map((level) => [level, counts[level] ?? 0]);
  if (rest > 0) parts.push(["none", rest]);
  return { total: parts.reduce((sum, [, count]) => sum + count, 0), parts };
};

/** About six times along the bottom, as short as the window allows. */
export const axisMarks = (starts: readonly number[], step: number, utc: boolean): { at: number; text: string }[] => {
  const every = Math.max(1, Math.ceil(starts.length / 6));
  const span = starts.length * step;
  const format = new Intl.DateTimeFormat("en-GB", {
    ...(utc ? { timeZone: "UTC" } : {}),
    ...(span > 36 * 3600 ? { day: "numeric", month: "short" } : {}),
    ...(span > 6 * 86_400 ? {} : { hour: "2-digit", minute: "2-digit" }),
    ...(span <= 600 ? { second: "2-digit" } : {}),
  });
  // One that begins at the very end would be cut off.
  return starts.flatMap((at, i) =>
    i % every === 0 && i / starts.length < 0.9 ? [{ at: i / starts.length, text: format.format(at) }] : [],
  );
};
