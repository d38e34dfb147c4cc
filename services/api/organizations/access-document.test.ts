/** docs/access.md says what the code does: its tables are made from the same values. */
import { readFileSync } from "node:fs";
import { builtInRoles, keyPermissions, permissions, roles, tenantPermissions } from "@astralog/schemas";
import { expect, test } from "@jest/globals";

const document = readFileSync(new URL("../../../docs/access.md", import.meta.url), "utf8");

/** Rows without the blanks that a formatter adds. */
const rowsIn = (text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .map((line) => line.replaceAll(/ +/g, " ").replaceAll(/-+/g, "-"));

const mark = (has: boolean): string => (has ? "✓" : "");
const row = (...cells: string[]): string => `| ${cells.join(" | ")} |`.replaceAll(/ +/g, " ");

test("the roles and who has which permission", () => {
  const kinds = ["query", "admin"] as const;
  const expected = [
    ...builtInRoles.map((role) => row(role, roles[role].meaning)),
    row("permission", ...builtInRoles, ...kinds.map((kind) => `${kind} key`)),
    ...tenantPermissions.map((one) =>
      row(
        `\`${one}\``,
        ...builtInRoles.map((role) => mark((roles[role].may as readonly string[]).includes(one))),
        ...kinds.map((kind) => mark((keyPermissions[kind] as readonly string[]).includes(one))),
      ),
    ),
    ...tenantPermissions.map((one) => row(`\`${one}\``, permissions[one])),
  ].map((line) => line.replaceAll(/-+/g, "-"));
  const found = new Set(rowsIn(document));
  expect(expected.filter((line) => !found.has(line))).toEqual([]);
});
