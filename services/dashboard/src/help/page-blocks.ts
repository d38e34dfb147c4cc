/** The few shapes that a page of docs/ is made of, out of its Markdown. What is not one of them is a paragraph. */

export type Block =
  | { readonly kind: "heading"; readonly level: 1 | 2; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "examples"; readonly lines: readonly string[] }
  | { readonly kind: "table"; readonly rows: readonly (readonly string[])[] };

const cells = (line: string): string[] =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

export const blocksOf = (markdown: string): Block[] => {
  const blocks: Block[] = [];
  const fences = markdown.split(/^```\w*\n/m);
  fences.forEach((piece, i) => {
    if (i % 2 === 1) blocks.push({ kind: "examples", lines: piece.trimEnd().split("\n") });
    else for (const text of piece.split(/\n{2,}/)) if (text.trim() !== "") blocks.push(blockOf(text.trim()));
  });
  return blocks;
};

const blockOf = (text: string): Block => {
  const [, marks, heading] = /^(##?) (.*)$/.exec(text) ?? [];
  if (marks !== undefined && heading !== undefined) {
    return { kind: "heading", level: marks.length === 1 ? 1 : 2, text: heading };
  }
  if (!text.startsWith("|")) return { kind: "paragraph", text: text.replace(/\n/g, " ") };
  return {
    kind: "table",
    rows: text
      .split("\n")
      .filter((line) => !/^\|[-|\s]+$/.test(line))
      .map(cells),
  };
};

/** Text with `code` in it: every second piece is code. */
export const codePieces = (text: string): string[] => text.split("`");
