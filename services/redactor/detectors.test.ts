import { expect, test } from "@jest/globals";
import { markerOf } from "./detector.ts";
import { detectors } from "./detectors.ts";
import { redactText } from "./redact-text.ts";

test.each(detectors.map((detector) => [detector.name, detector] as const))(
  "%s finds its example, spares its look-alike",
  (name, { example, lookalike }) => {
    const counts = new Map<string, number>();
    const redacted = redactText(example, counts);
    expect(redacted).toContain(markerOf(name));
    expect(counts.get(name)).toBeGreaterThan(0);
    expect(redactText(lookalike, new Map())).toBe(lookalike);
  },
);

test("names are fit for a marker and a metric", () => {
  for (const { name } of detectors) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
});
