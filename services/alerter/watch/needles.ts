/**
 * Looks for many texts at once in bytes, whatever the case of ASCII letters: an automaton of Aho and Corasick's, a step for
 * each byte however many texts there are.
 */
export interface Needles {
  /** Marks in `found`, which has a place for each text, those that stand in the bytes from `from` on. */
  look(bytes: Uint8Array, from: number, found: Uint8Array): void;
}

/** `texts` in lower case. */
export const createNeedles = (texts: readonly string[]): Needles => {
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  // Bytes that no text has are all alike, so the table is narrow.
  const classes = new Uint8Array(256);
  let width = 1;
  for (const byte of new Set(encoded.flatMap((text) => [...text]))) classes[byte] = width++;
  for (let byte = 0x41; byte <= 0x5a; byte++) classes[byte] = classes[byte + 0x20] ?? 0;

  const states = 1 + encoded.reduce((sum, { length }) => sum + length, 0);
  /** By state and class: where the next state's line begins. */
  const next = new Int32Array(states * width);
  let count = 1;
  /** Texts that end in a state. */
  const ends: number[][] = Array.from({ length: states }, () => []);
  for (const [n, text] of encoded.entries()) {
    let line = 0;
    for (const byte of text) {
      const at = line + (classes[byte] ?? 0);
      if (next[at] === 0) next[at] = count++ * width;
      line = next[at] ?? 0;
    }
    ends[line / width]?.push(n);
  }
  // Each state's way back is the longest end of it that begins a text, too.
  const back = new Int32Array(states);
  const queue: number[] = [];
  for (let one = 0; one < width; one++) if (next[one] !== 0) queue.push(next[one] ?? 0);
  for (let i = 0; i < queue.length; i++) {
    const line = queue[i] ?? 0;
    const behind = back[line / width] ?? 0;
    ends[line / width]?.push(...(ends[behind / width] ?? []));
    for (let one = 0; one < width; one++) {
      const to = next[line + one] ?? 0;
      const from = next[behind + one] ?? 0;
      if (to === 0) next[line + one] = from;
      else {
        back[to / width] = from;
        queue.push(to);
      }
    }
  }
  // Where texts end is told by the sign, so that most bytes cost two look-ups.
  for (let at = 0; at < next.length; at++) {
    const to = next[at] ?? 0;
    if ((ends[to / width]?.length ?? 0) > 0) next[at] = ~to;
  }

  return {
    look: (bytes, from, found) => {
      let line = 0;
      for (let i = from; i < bytes.length; i++) {
        line = next[line + (classes[bytes[i] as number] as number)] as number;
        if (line >= 0) continue;
        line = ~line;
        for (const n of ends[line / width] ?? []) found[n] = 1;
      }
    },
  };
};
