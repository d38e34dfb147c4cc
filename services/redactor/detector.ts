/**
 * What a detector is. The detectors are a table of data: redact-text.ts and scan.ts run them, and adding a row to a
 * detect-*.ts file is all it takes to add one.
 *
 * Each has a scan pattern beside its precise one. The scan runs over Avro's bytes, where the byte before a string is its
 * length and may look like a letter or a digit, so scan patterns know no `\b`, `^`, `$` and no class that excludes what
 * a length byte can be. A text that a detector finds something in must contain a match of its scan pattern: a property
 * test holds every row to that.
 */

/** What must never be stored. */
export type Family =
  | "password"
  | "auth_token"
  | "session"
  | "api_credential"
  | "encryption_key"
  | "payment_card"
  | "health"
  | "personal";

/** [start, end) in UTF-16 units. */
export type Span = readonly [start: number, end: number];

interface Row {
  /** Stands in the replacement: `[redacted:<name>]`. Lower case, digits and underscores. */
  readonly name: string;
  readonly family: Family;
  /** A text it must find a secret in, and one that looks alike and must survive. Both are inventions. */
  readonly example: string;
  readonly lookalike: string;
}

/** Finds a secret by its own form. */
export interface PatternDetector extends Row {
  readonly kind: "pattern";
  /** RE2. The group named `s`, if there is one, is the secret; else the whole match is. */
  readonly pattern: string;
  /** RE2 over encoded bytes, a superset of `pattern`. */
  readonly scan: string;
  /** Letters and digits may not stand directly before the match or after the secret. Default true. */
  readonly bounded?: boolean;
  /** RE2 that must match somewhere in the text, or nothing in it counts. */
  readonly onlyIf?: string;
  /** Has the last word on a match. It runs for each, so it may look at what is near, never at the whole text. */
  readonly accept?: (secret: string, context: MatchContext) => boolean;
  /** The secrets within a match, where one match may hold several; takes the place of `bounded` and `accept`. */
  readonly within?: (match: string, context: MatchContext) => readonly Span[];
}

export interface MatchContext {
  readonly text: string;
  readonly span: Span;
}

/** Finds a secret by the name it is given: an attribute's key, a JSON key, or a name before `=` or `:` in text. */
export interface NameDetector extends Row {
  readonly kind: "name";
  /** Lower case words: `api key` stands for api_key, api-key, api.key, apiKey, APIKEY and so on. */
  readonly names: readonly string[];
  /** Names that are words of their own only at a separator or a camel hump: `pin` but not `shipping`. */
  readonly shortNames?: readonly string[];
  /** Words of their own only at a separator: `phone` but not iPhone. */
  readonly separateNames?: readonly string[];
  /** Whether a value that is all there is under that key goes. `""`, true, false and null never get here. */
  readonly takesWhole: (value: string) => boolean;
  /** Whether what follows such a name in running text goes. */
  readonly takesText: (value: string) => boolean;
  /** The value is prose: in running text it reaches to the next separator instead of the next space. */
  readonly prose?: boolean;
}

export type Detector = PatternDetector | NameDetector;

export const markerOf = (name: string): string => `[redacted:${name}]`;
