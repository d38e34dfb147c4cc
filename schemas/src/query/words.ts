/**
 * How a message falls into words: runs of ASCII letters and digits and of everything beyond ASCII. It is ClickHouse's
 * splitByNonAlpha, which the message's text index is made with, so both must stay the same. Case is folded for ASCII only.
 */
const between = /[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+/;

export const wordsOf = (text: string): string[] => text.split(between).filter((word) => word !== "");

/** The same class for RE2. */
export const wordCharacter = "[0-9A-Za-z\\x{80}-\\x{10FFFF}]";
export const notWordCharacter = "[\\x{00}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{60}\\x{7b}-\\x{7f}]";

/** As the index folds case: ASCII letters only. */
export const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
