/** Text with terminal colours, as pieces with class names. Every other control sequence is taken out, never carried out. */

export interface Piece {
  readonly text: string;
  /** "" for plain text. */
  readonly className: string;
}

const sequence = /\x1b\[([0-9;:]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]/g;
const colours = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

interface Style {
  colour: string;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
}
const plain: Style = { colour: "", bold: false, dim: false, italic: false, underline: false };

const classOf = ({ colour, bold, dim, italic, underline }: Style): string =>
  [
    colour && `ansi-${colour}`,
    bold && "ansi-bold",
    dim && "ansi-dim",
    italic && "ansi-italic",
    underline && "ansi-underline",
  ]
    .filter(Boolean)
    .join(" ");

export const readAnsi = (text: string): Piece[] => {
  if (!text.includes("\x1b")) return [{ text, className: "" }];
  const pieces: Piece[] = [];
  let style = plain;
  let at = 0;
  const add = (part: string): void => {
    if (part !== "") pieces.push({ text: part, className: classOf(style) });
  };
  for (const match of text.matchAll(sequence)) {
    add(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[2] === "m") style = applied(style, (match[1] ?? "").split(/[;:]/).map(Number));
  }
  add(text.slice(at));
  return pieces;
};

const applied = (before: Style, codes: readonly number[]): Style => {
  let style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 0) style = { ...plain };
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 39) style.colour = "";
    else if (code >= 30 && code <= 37) style.colour = colours[code - 30] ?? "";
    else if (code >= 90 && code <= 97) style.colour = colours[code - 90] ?? "";
    else if (code === 38 || code === 48) {
      // One of 256, or red, green and blue: only the first sixteen have a name here.
      const skip = codes[i + 1] === 5 ? 2 : 4;
      const index = codes[i + 2] ?? -1;
      if (code === 38 && skip === 2 && index >= 0 && index < 16) style.colour = colours[index % 8] ?? "";
      i += skip;
    }
  }
  return style;
};
