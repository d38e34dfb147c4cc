import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { csvCell, csvLine } from "./csv.ts";

/** As a spreadsheet reads one line of RFC 4180. */
const read = (line: string): string[] => {
  const cells: string[] = [];
  const rest = line.slice(0, -2);
  for (const [, quoted, plain] of `${rest},`.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*)),/g))
    cells.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
  return cells;
};

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '="x"&A1'])("%j can be no formula", (cell) => {
  expect(read(csvLine([cell]))).toEqual([`'${cell}`]);
});

test("every other text comes back as it was, and no line has a cell that runs", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 }), (cells) => {
      const back = read(csvLine(cells));
      expect(back.map((cell, i) => (cell === `'${cells[i]}` ? cells[i] : cell))).toEqual(cells);
      expect(back.filter((cell) => /^[=+\-@\t\r]/.test(cell))).toEqual([]);
    }),
  );
  expect(csvCell("plain")).toBe("plain");
});
