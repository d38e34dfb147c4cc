import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { findForbiddenImports, importsOf } from "./import-rules.ts";

const dir = mkdtempSync(join(tmpdir(), "imports-"));
afterAll(() => rmSync(dir, { recursive: true }));
const file = (path: string, text: string): void => {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
};

test("imports of every form are seen", () => {
  const text = `import a from "./a.ts";\nimport {\n  b,\n} from "@astralog/b";\nexport * from './c.ts';\nimport "./d.ts";\nawait import("./e.ts");`;
  expect(importsOf(text)).toEqual(["./a.ts", "@astralog/b", "./c.ts", "./d.ts", "./e.ts"]);
});

test("a service may not reach another, by name or by path; its tests may use the testbed", () => {
  file(
    "services/sink/good.ts",
    `import { x } from "@astralog/chassis";\nimport y from "./y.ts";\nimport z from "node:fs";`,
  );
  file("services/sink/by-name.ts", `import x from "@astralog/api";`);
  file("services/sink/by-path.ts", `import x from "../receiver/x.ts";`);
  file("services/sink/bed.ts", `import x from "@astralog/testbed";`);
  file("services/sink/bed.test.ts", `import x from "@astralog/testbed";`);
  file("schemas/src/up.ts", `import x from "@astralog/chassis";`);
  expect(findForbiddenImports(dir).map((line) => line.split(":")[0])).toEqual([
    "schemas/src/up.ts",
    "services/sink/bed.ts",
    "services/sink/by-name.ts",
    "services/sink/by-path.ts",
  ]);
});
