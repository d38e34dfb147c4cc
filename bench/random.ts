/** Seeded random numbers: the same seed gives the same events on every machine. mulberry32: 32 bits of state, enough here. */

export interface Random {
  /** A whole number in [0, below). */
  below(below: number): number;
  /** In [0, 1). */
  share(): number;
  pick<T>(from: readonly T[]): T;
  /** Lower-case hex digits. */
  hex(digits: number): string;
}

export const createRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const below = (n: number): number => Math.floor((next() / 2 ** 32) * n);
  return {
    below,
    share: () => next() / 2 ** 32,
    pick: <T>(from: readonly T[]): T => {
      const item = from[below(from.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
    hex: (digits) => {
      let text = "";
      while (text.length < digits) text += next().toString(16).padStart(8, "0");
      return text.slice(0, digits);
    },
  };
};
