export function javaMajor(text: string): number;
export function findProblems(needed: readonly string[], path?: string): string[];
