/** Finds by a few letters: each word of the text must begin or stand in the candidate, and beginnings come first. */

export const rank = <T>(text: string, candidates: readonly T[], nameOf: (candidate: T) => string): T[] => {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return [...candidates];
  const scored = candidates.flatMap((candidate, order) => {
    const name = nameOf(candidate).toLowerCase();
    let score = 0;
    for (const word of wanted) {
      const at = name.indexOf(word);
      if (at === -1) return [];
      const begins = at === 0 || /[^\p{L}\p{N}]/u.test(name[at - 1] ?? "");
      score += (begins ? 0 : 100) + at;
    }
    return [{ candidate, score, order }];
  });
  return scored.sort((a, b) => a.score - b.score || a.order - b.order).map(({ candidate }) => candidate);
};
