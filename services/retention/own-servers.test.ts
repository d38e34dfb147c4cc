import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { inPieces } from "./own-servers.ts";

test("sets of removed events travel in pieces that fit a parameter, and nothing of them is lost", () => {
  const row = fc.tuple(
    fc.string({ maxLength: 20 }),
    fc.string({ maxLength: 20 }),
    fc.nat(99),
    fc.nat().map(String),
    fc.nat().map(String),
    fc.array(fc.nat(), { maxLength: 12_000 }),
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
      const pieces = inPieces(rows);
      const back = pieces.flatMap((piece) => JSON.parse(piece) as typeof rows);
      for (const piece of pieces) expect(piece.length).toBeLessThan(131_072);
      const flat = (all: typeof rows) =>
        all.flatMap(([a, b, c, d, e, list]) => list.map((one) => [a, b, c, d, e, one]));
      expect(flat(back)).toEqual(flat(rows));
    }),
    { numRuns: 20 },
  );
});
