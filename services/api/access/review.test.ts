import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Held, heldKinds, review, toEnd } from "./review.ts";

const day = 86_400_000;
const now = Date.parse("2026-03-01T00:00:00Z");
const past = fc.integer({ min: 0, max: 400 * day }).map((ago) => new Date(now - ago));
const anyHeld: fc.Arbitrary<Held> = fc.record({
  kind: fc.constantFrom(...heldKinds),
  id: fc.uuid(),
  name: fc.string(),
  what: fc.string(),
  created_at: past,
  used_at: fc.option(past),
  kept: fc.constantFrom("", "an owner"),
});

test("what is ended was neither made nor used within the days, and nothing else is left out or kept back", () => {
  fc.assert(
    fc.property(fc.array(anyHeld), fc.integer({ min: 1, max: 365 }), (held, days) => {
      const reviewed = review(held, days, now);
      expect(reviewed.map(({ id }) => id).sort()).toEqual(held.map(({ id }) => id).sort());
      const ended = new Set(toEnd(reviewed).map(({ id }) => id));
      const fresh = (at: Date | null) => at !== null && now - at.getTime() < days * day;
      for (const one of held)
        expect(ended.has(one.id)).toBe(!fresh(one.created_at) && !fresh(one.used_at) && one.kept === "");
    }),
  );
});
