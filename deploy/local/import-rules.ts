/**
 * Who may import whom: schemas nothing of ours; chassis schemas; a service schemas and chassis, and never another
 * service. Tests may also use the testbed, and the testbed, the bench and deploy/ may start things.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, relative, resolve, sep } from "node:path";
import { serviceNames } from "./services.ts";

const services = [...serviceNames, "cli"] as const;
const mayImport: Readonly<Record<string, readonly string[]>> = {
  schemas: [],
  chassis: ["schemas"],
  ...Object.fromEntries(services.map((name) => [name, ["schemas", "chassis"]])),
  // It shows a document as it is.
  dashboard: ["schemas", "docs"],
  local: ["schemas"],
  testbed: ["schemas", "chassis", "local"],
  kubernetes: ["docker", "local"],
  docker: ["schemas", "chassis", "local"],
  // It opens pages as the tests do.
  bench: ["schemas", "chassis", "local", "testbed", "dashboard"],
};
// A test, or a driver that tests share, stands outside what it tests.
const testsMayAlso = ["testbed", "local", "chassis", "schemas"];

/** The part of the project a path lies in: `services/sink/x.ts` is `sink`, `deploy/local/x.ts` is `local`. */
export const partOf = (path: string): string => {
  const [first = "", second = ""] = path.split(sep);
  return first === "services" || first === "deploy" ? second : first;
};

const statement =
  /(?:^|\n)\s*(?:import|export)\s[^;'"]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)|(?:^|\n)\s*import\s*["']([^"']+)["']/g;

export const importsOf = (text: string): string[] =>
  [...text.matchAll(statement)].map(([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? "");

/** One line for each import that breaks the rule. */
export const findForbiddenImports = (root: string): string[] =>
  globSync("{schemas,services,deploy,bench}/**/*.{ts,tsx,mjs}", {
    cwd: root,
    exclude: (name) => String(name).includes("node_modules"),
  })
    .sort()
    .flatMap((file) => {
      const part = partOf(file);
      const allowed = new Set([
        part,
        ...(mayImport[part] ?? []),
        ...(/\.(test|driver)\.ts$/.test(file) ? testsMayAlso : []),
      ]);
      return importsOf(readFileSync(resolve(root, file), "utf8")).flatMap((target) => {
        const reached = target.startsWith("@astralog/")
          ? (target.split("/")[1] ?? "")
          : target.startsWith(".")
            ? partOf(relative(root, resolve(root, dirname(file), target)))
            : part;
        return allowed.has(reached)
          ? []
          : [`${file}: imports ${target}; ${part} may import ${[...allowed].join(", ")}`];
      });
    });
