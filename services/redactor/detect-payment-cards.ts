/**
 * Card numbers: issuer ranges and the check digit, written together or in groups. Sixteen digits in an issuer's range
 * with the right check digit are taken for a card wherever they stand: one in ten look-alikes goes too. Shorter and longer
 * ones, which millisecond clocks and identifiers also are, only near a word that speaks of cards.
 */
import { luhn } from "./checks.ts";
import type { Detector, MatchContext, Span } from "./detector.ts";

const issued =
  /^(?:4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|09|[689]\d)\d{11,13}|(?:6011|64[4-9]\d|65\d\d)\d{12,15}|35(?:2[89]|[3-8]\d)\d{12,15}|62\d{14,17}|81\d{14,17}|220[0-4]\d{12,15}|(?:508|60[4-9]|65[2-9])\d{13})$/;
/** Ranges that only a word about cards makes believable: old JCB and Maestro, whose numbers begin with almost anything. */
const issuedLoosely = /^(?:(?:1800|2131)\d{11}|(?:0[456]|5[0678]|6)\d{10,17}|35\d{14,17}|3[068]\d{12})$/;

const speaksOfCards =
  /card|\bcc\b|\bpan\b|credit|debit|visa|master|amex|american express|discover|maestro|diners|jcb|unionpay|payment|number=/i;

const usualGroups = /^(?:4-4-4-4|4-6-5|4-6-4|4-4-4-1|4-4-4-7|4-4-4-4-[23]|4-4-4|\d+)$/;

const looksLikeCard = (written: string, near: boolean): boolean => {
  const digits = written.replace(/[ -]/g, "");
  if (!luhn(digits) || new Set(digits).size < 2) return false;
  const groups = written.split(/[ -]/).map((group) => group.length);
  if (!usualGroups.test(groups.join("-"))) return false;
  if (near) return issued.test(digits) || issuedLoosely.test(digits);
  return digits.length >= 14 && digits.length <= 16 && issued.test(digits);
};

/** Cards within a run of digits and single separators: any stretch of groups as cards have them may be one. */
const cardsWithin = (run: string, { text, span: [start, end] }: MatchContext): Span[] => {
  const groups = [...run.matchAll(/[0-9]+/g)].map((m) => ({ start: m.index, end: m.index + m[0].length }));
  const found: Span[] = [];
  for (let first = 0; first < groups.length; first++) {
    const from = groups[first]?.start ?? 0;
    for (let last = first; last < groups.length && (groups[last]?.start ?? 0) - from < 24; last++) {
      const to = groups[last]?.end ?? 0;
      const length = to - from - (last - first);
      if (length < 12 || length > 19) continue;
      const nearby = () =>
        speaksOfCards.test(
          `${text.slice(Math.max(0, start + from - 80), start + from)} ${text.slice(start + to, start + to + 24)}`,
        );
      const touches = (from === 0 && isLetter(text[start - 1])) || (to === run.length && isLetter(text[end]));
      if (touches || !looksLikeCard(run.slice(from, to), nearby())) continue;
      found.push([start + from, start + to]);
      first = last;
      break;
    }
  }
  return found;
};

const isLetter = (char: string | undefined): boolean => char !== undefined && /[A-Za-z_]/.test(char);

export const paymentCards: readonly Detector[] = [
  {
    kind: "pattern",
    name: "payment_card",
    family: "payment_card",
    pattern: "[0-9](?:[ -]?[0-9]){11,}",
    // A card begins where its digits begin, with a digit that an issuer uses. So millisecond clocks, 13 digits that begin
    // with 1, are no suspects; they stand in most events.
    scan: "(?:[02-6][0-9]{3}|1800|81[0-9]{2})[ -]?[0-9]{4}[ -]?[0-9]{4}|(?:3[0-9]{3}|1800|2131)[ -][0-9]{6}",
    within: cardsWithin,
    example: `paid with ${"4539"} 1488 0343 6467 today`,
    lookalike: "parcel 4539 1488 0343 6468 shipped",
  },
  {
    kind: "name",
    name: "card_data",
    family: "payment_card",
    names: [
      "card number",
      "card no",
      "card num",
      "credit card",
      "debit card",
      "credit card number",
      "cc number",
      "cc num",
      "primary account number",
      "track data",
      "track1 data",
      "track2 data",
      "pin block",
      "card verification value",
      "card security code",
    ],
    shortNames: ["pan", "cvv", "cvv2", "cvc", "cvc2", "pin"],
    takesWhole: (value) => /\d/.test(value),
    takesText: (value) => /^\d{3,19}$/.test(value) || /^\d{4}[ -]\d/.test(value),
    example: "declined, cvv=730 did not match",
    lookalike: "declined, cvv=missing",
  },
];
