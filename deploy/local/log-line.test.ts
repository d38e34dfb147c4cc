import { stripVTControlCharacters } from "node:util";
import { expect, test } from "@jest/globals";
import { formatLogLine } from "./log-line.ts";

const plain = (service: string, entry: unknown): string =>
  stripVTControlCharacters(formatLogLine(service, typeof entry === "string" ? entry : JSON.stringify(entry)));

test("a line reads: time, service, level, message, fields", () => {
  const entry = {
    level: "info",
    time: "2026-01-02T03:04:05.678Z",
    service: "sink",
    pid: 7,
    rows: 12,
    topic: "a",
    msg: "stored",
  };
  expect(plain("sink", entry)).toBe("03:04:05.678 sink      info  stored rows=12 topic=a");
});

test("what could move the cursor or reorder text arrives as visible text, wherever it stands", () => {
  const evil = "a\u001b[2Jb\r\nc\u202ed\u0007";
  for (const line of [
    plain("api", { level: "info", msg: evil }),
    plain("api", { level: "info", msg: "x", [evil]: evil }),
    plain("api", {
      level: "error",
      msg: "x",
      err: { name: "Error", message: evil, cause: { name: evil, message: "y" } },
    }),
    plain("api", `not JSON ${evil}`),
  ]) {
    expect(line.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(line).toContain("\\u001b[2J");
  }
});

test("an error shows its words, its code and its causes", () => {
  const err = {
    name: "Fault",
    code: "kafka_down",
    message: "no broker",
    stack: "x\n    at y",
    cause: { name: "Error", message: "refused" },
  };
  const lines = plain("sink", { level: "error", msg: "failed", err }).split("\n");
  expect(lines.map((line) => line.trim()).slice(1)).toEqual([
    "Fault kafka_down: no broker",
    "caused by Error: refused",
  ]);
});
