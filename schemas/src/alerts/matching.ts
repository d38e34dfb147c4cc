/** Whether what silences, maintenance windows and routes name is what an incident has. */
import type { Labels, Matcher } from "./labels.ts";

export const matches = (matchers: readonly Matcher[], labels: Labels): boolean =>
  matchers.every(({ label, op, values }) => {
    const there = values.includes(labels[label] ?? "");
    return op === "=" || op === "in" ? there : !there;
  });
