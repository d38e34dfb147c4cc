/** A takeout that lies in a folder or under an address: read file by file, and checked with nothing but itself and a key. */
import { hash } from "node:crypto";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type TakeoutFile, type TakeoutManifest, takeoutNames, takeoutProblems } from "@astralog/schemas/takeout";
import { verifyAuditFile } from "./audit-file.ts";
import { Failure } from "./failure.ts";
import { countRows } from "./takeout-rows.ts";

export interface TakeoutPlace {
  /** Where it is, for people. */
  readonly name: string;
  /** Undefined when it is not there. */
  read(name: string): Promise<Buffer | undefined>;
}

export const openPlace = (where: string): TakeoutPlace => {
  if (!/^https?:\/\//.test(where))
    return {
      name: where,
      read: async (name) => {
        const path = join(where, name);
        return existsSync(path) ? readFileSync(path) : undefined;
      },
    };
  const base = where.endsWith("/") ? where : `${where}/`;
  return {
    name: where,
    read: async (name) => {
      const response = await fetch(new URL(name, base)).catch(() => {
        throw new Failure(`${where} does not answer.`);
      });
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Failure(`${where} answers ${response.status} for ${name}.`);
      return Buffer.from(await response.arrayBuffer());
    },
  };
};

export const readManifestText = (text: string, where: string): TakeoutManifest => {
  try {
    const read = JSON.parse(text) as Partial<TakeoutManifest> | null;
    if (typeof read?.public_key === "string" && Array.isArray(read.files) && typeof read.id === "string")
      return read as TakeoutManifest;
  } catch {
    // Said below.
  }
  throw new Failure(`${where} holds no manifest of a takeout.`, "astralog takeout download writes one.", 2);
};

/** Its manifest, once it is known to be signed. Throws a Failure. */
export const trustedManifest = async (place: TakeoutPlace, publicKey?: string): Promise<TakeoutManifest> => {
  const body = await place.read(takeoutNames.manifest);
  if (body === undefined) throw new Failure(`There is no ${takeoutNames.manifest} in ${place.name}.`);
  const manifest = readManifestText(body.toString(), place.name);
  const problems = takeoutProblems(manifest, publicKey ?? manifest.public_key);
  if (problems.length > 0) throw new Failure(`${place.name}: ${problems.join("; ")}.`);
  return manifest;
};

export const isWhole = (file: TakeoutFile, body: Buffer): boolean =>
  body.length === file.bytes && hash("sha256", body) === file.sha256;

/** The SHA-256 of a file on disk, in hex. */
export const hashOf = async (path: string): Promise<string> => {
  const { createHash } = await import("node:crypto");
  const sum = createHash("sha256");
  await pipeline(createReadStream(path), sum);
  return sum.digest("hex");
};

/** What is wrong with its files; empty when all are there, as they were signed, and hold what they should. */
export const fileProblems = async (
  place: TakeoutPlace,
  manifest: TakeoutManifest,
  { publicKey, each }: { publicKey: string; each: (file: TakeoutFile) => void },
): Promise<string[]> => {
  const problems: string[] = [];
  for (const file of manifest.files) {
    each(file);
    const body = await place.read(file.name);
    if (body === undefined) problems.push(`${file.name}: it is missing`);
    else if (!isWhole(file, body)) problems.push(`${file.name}: other bytes than were signed`);
    else if (file.kind === "events") {
      const rows = countRows(body);
      if (rows !== file.rows) problems.push(`${file.name}: ${rows} events, and the manifest says ${file.rows}`);
    } else if (file.kind === "audit") problems.push(...(await trailProblems(body, manifest, publicKey)));
  }
  return problems;
};

const trailProblems = async (body: Buffer, manifest: TakeoutManifest, publicKey: string): Promise<string[]> => {
  const folder = mkdtempSync(join(tmpdir(), "astralog-takeout-"));
  try {
    const path = join(folder, "audit.jsonl");
    writeFileSync(path, body, { mode: 0o600 });
    const kept = { heads: [], hashes: manifest.audit_head === null ? [] : [manifest.audit_head.hash] };
    const { broken, tenant } = await verifyAuditFile(path, { kept, publicKey });
    if (broken !== undefined) return [`${takeoutNames.audit}: broken at seq ${broken.seq}: ${broken.problem}`];
    return tenant === manifest.organization.id ? [] : [`${takeoutNames.audit}: the trail of another organization`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
