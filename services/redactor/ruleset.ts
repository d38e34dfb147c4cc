/** Which rules a batch was redacted by: SHA-256 over the files that decide, recorded in every batch. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";

const decides =
  /^(?:ascii-fold|checks|detect-[a-z-]+|detectors?|find-names|names|redact-(?:event|json|text)|scan|scan-patterns|time-budget|tokens|values)\.ts$/;

const hash = createHash("sha256");
for (const file of readdirSync(new URL(".", import.meta.url))
  .filter((name) => decides.test(name))
  .toSorted())
  hash.update(`${file}\n`).update(readFileSync(new URL(file, import.meta.url)));

/** The first 16 hex digits: enough to tell two rule sets apart. */
export const ruleset = hash.digest("hex").slice(0, 16);
