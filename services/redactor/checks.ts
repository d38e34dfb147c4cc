/** Arithmetic and plausibility: what tells a card from an order number and a key from a word. All linear. */

/** ISO/IEC 7812-1 check digit, over a string of digits. */
export const luhn = (digits: string): boolean => {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 === 0;
};

/** ISO 7064 MOD 97-10 as IBAN uses it; upper case, no spaces. */
export const mod97 = (iban: string): boolean => {
  const turned = iban.slice(4) + iban.slice(0, 4);
  let rest = 0;
  for (const char of turned) {
    const value = Number.parseInt(char, 36);
    if (Number.isNaN(value)) return false;
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest === 1;
};

/** Shannon entropy in bits per character. */
export const entropy = (text: string): number => {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
};

/** Whether the characters are too few kinds to be random: xxxxxxxx, 00000000, ab-ab-ab. */
export const isFiller = (text: string): boolean => {
  const kinds = new Set(text.replace(/[-_.:/=+ ]/g, ""));
  return kinds.size < Math.min(5, 1 + text.length / 4);
};

const unresolved =
  /^(?:\$[({\d]|\$[A-Za-z_]+$|%\w+%$|%[({]|\{\{|<[^>]|\{[^}]*\}|\[[A-Za-z_ -]+\]|ENC\(|&[a-z#]|\*{2,}|\.{3})/;

/** Whether it stands for a secret without being one: a variable, a mask, `<your key>`, the AWS documents' EXAMPLE. */
export const isPlaceholder = (value: string): boolean =>
  unresolved.test(value) ||
  /^[*•xX.#_?-]+$/.test(value) ||
  /\*{3}|\.{3}$|EXAMPLE|example[-_]?(?:key|token|secret)|your[-_ ]/.test(value) ||
  (value.length >= 6 && new Set(value).size === 1);

const classes = (value: string) => ({
  digits: /[0-9]/.test(value),
  lower: /[a-z]/.test(value),
  upper: /[A-Z]/.test(value),
});

/** Words joined by separators, such as not_a_real_token, LLM-KEY-2 or X509.pub_key: a name, not a value. */
export const isIdentifier = (value: string): boolean => {
  const words = value.split(/[_\-.:/ ]+/).filter((word) => word !== "");
  return (
    words.every((word) => /^(?:[A-Za-z]{2,}\d{0,2}|[A-Za-z]?\d{1,3})$/.test(word)) &&
    (words.length > 1 || /^[A-Za-z]+\d{0,2}$/.test(value))
  );
};

const isPathOrUrl = (value: string): boolean =>
  /^(?:[a-z][a-z0-9+.-]*:\/\/|~\/|\.{1,2}\/)/i.test(value) ||
  (value.startsWith("/") && (value.indexOf("/", 1) > 0 || value.length < 20)) ||
  /\.(?:[jt]sx?|py|go|java|rb|json|ya?ml|pem|crt|key|txt|log|html?|png|css)$/i.test(value);

const isTime = (value: string): boolean => /^\d{4}-\d\d-\d\d(?:[T ]|$)|^\d\d:\d\d/.test(value);

const isCall = (value: string): boolean => /^[\w.$:>-]+\(/.test(value) || /^[\w.$:>-]+\(\)$/.test(value);

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What stands after `token=` and is meant: random enough, and neither code nor words. */
export const looksRandom = (value: string): boolean => {
  if (value.length < 8 || isPlaceholder(value) || isFiller(value)) return false;
  if (isIdentifier(value) || isPathOrUrl(value) || isTime(value) || isCall(value)) return false;
  if (/[\s<>]/.test(value)) return false;
  // A number is a count or a time unless it is longer than both.
  if (/^[0-9.,]+$/.test(value)) return value.length >= 15 && !value.includes(".");
  const { digits, lower, upper } = classes(value);
  if (/^0x[0-9a-f]{1,16}$/i.test(value)) return false;
  if (digits && (lower || upper)) return true;
  if (lower && upper) return value.length >= 10 && /[a-z][A-Z][a-z]*[A-Z]|[^A-Za-z]/.test(value) && entropy(value) > 3;
  return value.length >= 24 && entropy(value) > 3.7;
};

/** What stands after a mere `key=` and is meant: hashes, UUIDs and cache keys are not. */
export const looksStronglyRandom = (value: string): boolean => {
  if (!/^[A-Za-z0-9+/=_-]{24,}\\?$/.test(value) || uuid.test(value) || /^[0-9a-fA-F-]+$/.test(value)) return false;
  const { digits, lower, upper } = classes(value);
  return digits && lower && upper && entropy(value) > 3.9 && looksRandom(value);
};

const typeNames =
  /^(?:auth|account|session|string|str|text|char|varchar|bool(?:ean)?|int(?:eger)?|number|object|null|none|nil|undefined|true|false|yes|no|empty|unset|required|optional|missing|invalid|incorrect|wrong|expired|changed|updated|reset|failed|failure|mismatch|error|denied|rejected|accepted|ok|valid|redacted|hidden|masked|protected|secret|password|passwd|pass|token)$/i;

/** What stands after `password=` and is meant. Passwords may be weak; code, masks and words about passwords are not one. */
export const looksLikePassword = (value: string): boolean => {
  if (value.length < 4 || isPlaceholder(value) || typeNames.test(value)) return false;
  if (isCall(value) || /^[\w$]+\[/.test(value)) return false;
  // snake_case words are the name of a variable; word/rest and word:rest are a pair or a path.
  if (/^[A-Za-z]+(?:[_.][A-Za-z]+)+$/.test(value) || /^[a-z]{4,}[/:]/.test(value)) return false;
  return !/^\/[\w./-]+$/.test(value) && !/^0x[0-9a-f]+$/i.test(value);
};
