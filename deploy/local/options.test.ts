import { expect, test } from "@jest/globals";
import { readOptions } from "./options.ts";

test("without options it keeps its data, shows logs and stays on this machine", () => {
  expect(readOptions([])).toEqual({
    ...{ fresh: false, headless: false, bucket: false, restore: "", listen: "", logLevel: "info" },
    outgoingAllowed: [],
  });
});

test("each option is read", () => {
  const args = ["--fresh", "--headless", "--bucket", "--listen", "logs.example", "--log-level", "debug"];
  expect(readOptions(args)).toEqual({
    fresh: true,
    headless: true,
    bucket: true,
    restore: "",
    listen: "logs.example",
    logLevel: "debug",
    outgoingAllowed: [],
  });
});

test("a restore needs the bucket that the backups are in", () => {
  expect(readOptions(["--bucket", "--restore", "clickhouse"])).toMatchObject({ restore: "clickhouse" });
  expect(readOptions(["--restore", "all"])).toMatchObject({ wrong: true });
  expect(readOptions(["--bucket", "--fresh", "--restore", "all"])).toMatchObject({ wrong: true });
});

test("who starts it may let services reach what is not public", () => {
  expect(readOptions([], { OUTGOING_ALLOWED: "127.0.0.0/8, ::1/128,10.1.2.3" })).toMatchObject({
    outgoingAllowed: ["127.0.0.0/8", "::1/128", "10.1.2.3"],
  });
  for (const OUTGOING_ALLOWED of ["localhost", "10.1", "10.0.0.0/33", "10.0.0.0/8/8"])
    expect([OUTGOING_ALLOWED, readOptions([], { OUTGOING_ALLOWED })]).toEqual([
      OUTGOING_ALLOWED,
      { text: expect.stringContaining(`"${OUTGOING_ALLOWED}"`), wrong: true },
    ]);
});

test.each([["--frehs"], ["--bucket", "--restore", "kafka"], ["--log-level", "loud"], ["surplus"]])(
  "%s is refused with words",
  (...args) => {
    expect(readOptions(args)).toEqual({ text: expect.stringMatching(/--/), wrong: true });
  },
);
