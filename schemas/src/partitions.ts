/**
 * Which of a topic's partitions a tenant may use: k of P by rendezvous hashing. A flood from one tenant reaches only
 * its own k, two tenants rarely share all of theirs, and a change of k or P moves as little as possible.
 */
import { hash } from "node:crypto";

const weight = (text: string): number => Number.parseInt(hash("sha256", text, "hex").slice(0, 12), 16);

/** The tenant's partitions, heaviest first; the first k of a larger k are the same. */
export const tenantPartitions = (tenant: string, k: number, total: number): number[] =>
  Array.from({ length: total }, (_, partition) => ({ partition, weight: weight(`${tenant}/${partition}`) }))
    .sort((a, b) => b.weight - a.weight || a.partition - b.partition)
    .slice(0, Math.max(1, Math.min(k, total)))
    .map(({ partition }) => partition);

/** The one partition of `choices` that every try with the same idempotency key meets in. */
export const keyedPartition = (key: string, choices: readonly number[]): number => {
  let best = choices[0] ?? 0;
  let heaviest = -1;
  for (const partition of choices) {
    const heavy = weight(`${key}/${partition}`);
    if (heavy > heaviest) [best, heaviest] = [partition, heavy];
  }
  return best;
};
