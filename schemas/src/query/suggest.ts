/** What was probably meant, for words that are not known. */

/** The nearest of the known words, when it is near enough to be a slip of the hand. */
export const nearest = (word: string, known: Iterable<string>): string | undefined => {
  const meant = word.toLowerCase();
  let best: string | undefined;
  let least = meant.length < 4 ? 2 : 3;
  for (const one of known) {
    const away = distance(meant, one.toLowerCase(), least);
    if (away < least) [best, least] = [one, away];
  }
  return best;
};

export const didYouMean = (word: string, known: readonly string[]): string => {
  const near = nearest(word, known);
  return near === undefined ? `There are ${known.join(", ")}.` : `Did you mean ${near}?`;
};

/** Letters to add, take away, change or swap with their neighbour; stops counting at `enough`. */
const distance = (a: string, b: string, enough: number): number => {
  if (Math.abs(a.length - b.length) >= enough) return enough;
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? i) + 1 : enough;
      row.push(Math.min(changed, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, swapped));
    }
    if (Math.min(...row) >= enough) return enough;
    [before, last] = [last, row];
  }
  return last[b.length] ?? enough;
};
