/** The scan patterns of the whole table, each with what it stands for. */
import { asciiFold } from "./ascii-fold.ts";
import type { PatternDetector } from "./detector.ts";
import { patternDetectors } from "./detectors.ts";
import { nameScans } from "./names.ts";

export interface ScanPattern {
  readonly pattern: string;
  /** The detector to run where it matches; none for names, which are looked for all together. */
  readonly detector: PatternDetector | undefined;
}

/** ASCII written as a JSON escape hides a name or a secret from every other pattern until it is decoded. */
const escapedAscii = "\\\\u00[2-7]";

export const scanPatterns: readonly ScanPattern[] = [
  ...patternDetectors.map((detector) => ({ pattern: asciiFold(detector.scan), detector })),
  ...[...nameScans, escapedAscii].map((pattern) => ({ pattern: asciiFold(pattern), detector: undefined })),
];

/**
 * The same patterns parted into automata. RE2 builds an automaton's states as it meets them, and the states of patterns
 * that can be under way at once multiply: all patterns in one outgrew its memory on orchestrators' logs and took 88 µs an
 * event, these three together take 2. Within a part the patterns begin alike: fixed prefixes of credentials, digits, words.
 */
export const scanParts: readonly (readonly ScanPattern[])[] = Object.values(
  Object.groupBy(scanPatterns, ({ detector }) => {
    if (detector?.family === "payment_card") return "digits";
    return detector?.family === "api_credential" || detector?.family === "encryption_key" ? "prefixes" : "words";
  }),
);
