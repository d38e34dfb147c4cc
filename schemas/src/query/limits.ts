/** Chosen so that the worst query still parses in a few milliseconds and compiles to SQL far below the server's limits. */
export const queryLimits = {
  characters: 4096,
  depth: 32,
  terms: 200,
  words: 64,
  stars: 8,
  regexCharacters: 512,
  regexRepeats: 100,
  regexStates: 2000,
  stages: 10,
  columns: 20,
  rows: 10_000,
} as const;
