import { expect, test } from "@jest/globals";
import { levelFromText, levelName, levelNames, levelRange } from "./levels.ts";

test("each name's range reads back as the name", () => {
  for (const name of levelNames) {
    const [first, last] = levelRange(name);
    for (let n = first; n <= last; n++) expect(levelName(n)).toBe(name);
    expect(levelFromText(name.toUpperCase())).toBe(first);
  }
  for (const none of [0, 25, -1, Number.NaN]) expect(levelName(none)).toBe("");
});

test("other systems' words are understood, and inherited ones are not", () => {
  expect(levelFromText("Warning")).toBe(13);
  expect(levelFromText(" crit ")).toBe(18);
  for (const none of ["", "constructor", "toString", "__proto__", "loud"]) expect(levelFromText(none)).toBeUndefined();
});
