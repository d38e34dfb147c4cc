import { Writable } from "node:stream";
import { expect, test } from "@jest/globals";
import { createLog } from "./log.ts";

const lines = (write: (log: ReturnType<typeof createLog>) => void): string[] => {
  const chunks: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  write(createLog("test", "info", sink));
  return chunks;
};

test("no value can forge a line, move a terminal's cursor or turn its text around", () => {
  const hostile = 'x\r\n{"level":"info","msg":"forged"}\u001b[2J\u009b2J\u202etxt\u2028';
  const written = lines((log) => log.info({ hostile }, hostile));
  expect(written).toHaveLength(1);
  const [line = ""] = written;
  expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2028\u2029]/);
  expect(JSON.parse(line)).toMatchObject({ service: "test", level: "info", hostile, msg: hostile });
});

test("fields that carry secrets are hidden", () => {
  const [line = ""] = lines((log) =>
    log.info({ authorization: "Bearer x1", request: { password: "x2", cookie: "x3" }, key: "x4" }),
  );
  for (const secret of ["x1", "x2", "x3", "x4"]) expect(line).not.toContain(secret);
});

test("an error is written with its code and its causes", () => {
  const [line = ""] = lines((log) =>
    log.error({ err: new Error("outer", { cause: Object.assign(new Error("inner"), { code: "ECONNRESET" }) }) }),
  );
  expect(JSON.parse(line).err).toMatchObject({ message: "outer", cause: { message: "inner", code: "ECONNRESET" } });
});
