/**
 * `npm run check`: everything that can be said about the code without running it. All parts run even when one fails, so
 * that one call shows all there is to mend.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import { findForbiddenImports } from "./import-rules.ts";
import { root } from "./paths.ts";

const node = (script: string, ...args: string[]): boolean =>
  spawnSync(process.execPath, [`node_modules/${script}`, ...args], { cwd: root, stdio: "inherit" }).status === 0;

const audit = (): boolean => {
  const { status, stdout } = spawnSync("npm", ["audit", "--audit-level=high", "--json"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status === 0) return true;
  let report: { error?: unknown; auditReportVersion?: number; metadata?: { vulnerabilities: Record<string, number> } };
  try {
    report = JSON.parse(stdout);
  } catch {
    report = {};
  }
  if (report.auditReportVersion === undefined) {
    console.log("The registry does not answer audits here; skipped.");
    return true;
  }
  console.log(JSON.stringify(report.metadata?.vulnerabilities));
  console.log("npm audit --audit-level=high says what they are.");
  return false;
};

interface Component {
  readonly name: string;
  readonly hashes?: readonly unknown[];
  readonly properties?: readonly { readonly name: string }[];
}

/** What the lock file installs, as CycloneDX for whoever ships it. What is not our own must be pinned by a hash. */
const bill = (): boolean => {
  const { status, stdout } = spawnSync("npm", ["sbom", "--sbom-format=cyclonedx", "--package-lock-only"], {
    ...{ cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  });
  if (status !== 0) return false;
  writeFileSync(join(root, ".astralog/sbom.cdx.json"), stdout);
  const { components } = JSON.parse(stdout) as { components: Component[] };
  const isOwn = ({ properties = [] }: Component) => properties.some(({ name }) => name === "cdx:npm:package:private");
  const loose = components.filter((one) => !isOwn(one) && !one.hashes?.length);
  for (const { name } of loose) console.log(`${name} has no hash in package-lock.json.`);
  return loose.length === 0;
};

const imports = (): boolean => {
  const found = findForbiddenImports(root);
  for (const one of found) console.log(one);
  return found.length === 0;
};

const parts: Record<string, () => boolean> = {
  types: () => node("typescript/bin/tsc", "-p", ".", "--noEmit"),
  // Its own libraries: what runs in a browser has no Node, and what runs on Node no DOM.
  "types of the dashboard": () => node("typescript/bin/tsc", "-p", "services/dashboard", "--noEmit"),
  "lint and format": () => node("@biomejs/biome/bin/biome", "check", "--error-on-warnings"),
  imports,
  // All of it, tests included; then what is shipped alone, where a workspace may lean only on what it declares itself.
  unused: () => node("knip/bin/knip.js", "--no-config-hints"),
  "unused in production": () => node("knip/bin/knip.js", "--strict", "--dependencies", "--files", "--no-config-hints"),
  audit,
  "bill of materials": bill,
};

const failed: string[] = [];
for (const [name, part] of Object.entries(parts)) {
  const begun = Date.now();
  const good = part();
  if (!good) failed.push(name);
  console.log(`${good ? pc.green("✓") : pc.red("✗")} ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
}
if (failed.length > 0) {
  console.log(pc.red(`check failed: ${failed.join(", ")}`));
  process.exitCode = 1;
}
