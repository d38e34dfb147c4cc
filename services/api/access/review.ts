/** Which of the rights that were given are still used. Pure: what is held comes in, with what is known of its last use. */

export const heldKinds = ["membership", "key", "producer", "grant"] as const;
export type HeldKind = (typeof heldKinds)[number];

export interface Held {
  readonly kind: HeldKind;
  readonly id: string;
  readonly name: string;
  /** A role, a kind of key, a state. */
  readonly what: string;
  readonly created_at: Date;
  readonly used_at: Date | null;
  /** Why it is not ended by a review however long it rests; "" when it is. */
  readonly kept: string;
}

export interface Reviewed extends Held {
  readonly idle_days: number;
  readonly unused: boolean;
}

const dayMs = 86_400_000;

/** The longest unused first. What was never used counts from when it was made. */
export const review = (held: readonly Held[], unusedDays: number, now: number): Reviewed[] =>
  held
    .map((one) => {
      const since = Math.max(one.created_at.getTime(), one.used_at?.getTime() ?? 0);
      const idle = Math.max(0, (now - since) / dayMs);
      return { ...one, idle_days: Math.floor(idle), unused: idle >= unusedDays };
    })
    .sort((a, b) => b.idle_days - a.idle_days || (a.id < b.id ? -1 : 1));

/** What a review ends. */
export const toEnd = (reviewed: readonly Reviewed[]): Reviewed[] =>
  reviewed.filter(({ unused, kept }) => unused && kept === "");
