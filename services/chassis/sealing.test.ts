import { randomBytes } from "node:crypto";
import { expect, test } from "@jest/globals";
import { createSealer } from "./sealing.ts";

const [first, second] = [randomBytes(32), randomBytes(32)];

test("opens where it was sealed for, with the present key or one before, and nowhere else", () => {
  const before = createSealer([first]);
  const after = createSealer([second, first]);
  const sealed = before.seal("tn_a/dst_1", "token");
  expect(sealed).not.toContain("token");
  expect(after.open("tn_a/dst_1", sealed)).toBe("token");
  expect([before.isPresent(sealed), after.isPresent(sealed)]).toEqual([true, false]);
  const unreadable = expect.objectContaining({ code: "sealed_unreadable" });
  expect(() => before.open("tn_b/dst_1", sealed)).toThrow(unreadable);
  expect(() => createSealer([second]).open("tn_a/dst_1", sealed)).toThrow(unreadable);
  expect(() => before.open("tn_a/dst_1", `${sealed.slice(0, -2)}AA`)).toThrow(unreadable);
  expect(() => before.open("tn_a/dst_1", "")).toThrow(unreadable);
});
