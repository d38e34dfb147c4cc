/** Rows as aligned columns. Cells may carry colour codes; widths count what is seen. */
import { stripVTControlCharacters } from "node:util";

const width = (cell: string): number => stripVTControlCharacters(cell).length;

/** `right` names the columns (by index) that are aligned to the right: numbers. */
export const table = (
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string => {
  const widths = heads.map((head, i) => Math.max(width(head), ...rows.map((row) => width(row[i] ?? ""))));
  const line = (cells: readonly string[]): string =>
    widths
      .map((wide, i) => {
        const cell = cells[i] ?? "";
        const pad = " ".repeat(wide - width(cell));
        return right.includes(i) ? pad + cell : cell + pad;
      })
      .join("  ")
      .trimEnd();
  return [line(heads), ...rows.map(line)].map((text) => `${text}\n`).join("");
};
