/** A word with stars as RE2 source, for both back ends. */
import { literalRegex } from "./regex.ts";
import { lowerAscii, notWordCharacter, wordCharacter } from "./words.ts";

/** Over a message in lower case. */
export const wordPatternRegex = (pieces: readonly string[]): string => {
  const start = pieces[0] === "" ? "" : `(?:^|${notWordCharacter})`;
  const end = pieces.at(-1) === "" ? "" : `(?:$|${notWordCharacter})`;
  return `${start}${pieces.map((piece) => literalRegex(lowerAscii(piece))).join(`${wordCharacter}*`)}${end}`;
};
