import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Chunk, createChunker } from "./chunks.ts";

test("every event is in one chunk, in order, and no chunk is above its bounds", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 60 }));
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 61, max: 200 }),
      (each, maxEvents, maxBytes) => {
        const chunker = createChunker(maxEvents, maxBytes);
        const chunks: Chunk[] = [];
        each.forEach((size, i) => {
          const full = chunker.add(Buffer.alloc(size), { input: "it", line: i });
          if (full !== undefined) chunks.push(full);
        });
        const rest = chunker.rest();
        if (rest !== undefined) chunks.push(rest);
        expect(chunks.flatMap((chunk) => chunk.origins.map((origin) => origin.line))).toEqual(each.map((_, i) => i));
        expect(chunks.map((chunk) => chunk.ordinal)).toEqual(chunks.map((_, i) => i));
        for (const chunk of chunks) {
          expect(chunk.events.length).toBeLessThanOrEqual(maxEvents);
          expect(chunk.bytes).toBeLessThanOrEqual(maxBytes);
        }
      },
    ),
  );
});
