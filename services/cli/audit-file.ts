/** Checks an exported audit trail, line by line, with nothing but the file, a head and a public key. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { AuditEvent } from "@astralog/schemas/audit";
import { type ChainBreak, type ChainCheck, createChainCheck } from "@astralog/schemas/audit-chain";
import { csvHeader, type ExportHeader, isHead, parseCsvLine, parseJsonLine } from "@astralog/schemas/audit-export";
import { type AuditHead, auditKeyId, isSignedHead } from "@astralog/schemas/audit-head";
import { Failure } from "./failure.ts";

/** Heads and hashes that were kept elsewhere. */
export interface Kept {
  readonly heads: readonly AuditHead[];
  readonly hashes: readonly string[];
}

export interface AuditVerdict {
  readonly broken: ChainBreak | undefined;
  readonly tenant: string;
  readonly count: number;
  readonly first: AuditEvent | undefined;
  readonly last: AuditEvent | undefined;
  /** The head at the export's end, or the kept one: up to here nothing can be missing. */
  readonly provenTo: number;
  /** Which key signed, and whether the user named it or the export did. */
  readonly keyId: string;
  readonly keyGiven: boolean;
}

interface Parsed {
  readonly header?: ExportHeader;
  readonly event?: AuditEvent;
  readonly head?: AuditHead;
}

/** Lines as what they are; `undefined` is a line that is nothing of the kind. */
async function* linesOf(path: string): AsyncGenerator<Parsed | undefined> {
  const lines = createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY });
  let csv: boolean | undefined;
  for await (const line of lines) {
    if (csv === undefined) {
      csv = line === csvHeader.trimEnd();
      if (csv) continue;
    }
    if (!csv) yield parseJsonLine(line);
    else {
      const event = parseCsvLine(line);
      yield event === undefined ? undefined : { event };
    }
  }
}

/** Throws a Failure when the file or what is needed to judge it is not there. */
export const verifyAuditFile = async (
  path: string,
  { kept = { heads: [], hashes: [] }, publicKey }: { kept?: Kept; publicKey?: string },
): Promise<AuditVerdict> => {
  let header: ExportHeader | undefined;
  let check: ChainCheck | undefined;
  let end: AuditHead | undefined;
  let broken: ChainBreak | undefined;
  const { heads: points, hashes } = kept;
  const next = (): number => (check?.count ?? 0) + 1;

  const read = (line: Parsed | undefined): ChainBreak | undefined => {
    if (line === undefined) return { seq: next(), problem: "its line is not one that an export writes (changed)" };
    if (line.header !== undefined) {
      if (header !== undefined || check !== undefined) return { seq: next(), problem: "a second header (inserted)" };
      header = line.header;
      check = createChainCheck(header.tenant, points, hashes);
      return undefined;
    }
    if (end !== undefined) return { seq: next(), problem: "it stands behind the signed head (inserted)" };
    if (line.head !== undefined) {
      end = line.head;
      return undefined;
    }
    if (line.event === undefined) return undefined;
    check ??= createChainCheck(line.event.tenant, points, hashes);
    return check.take(line.event);
  };

  for await (const line of linesOf(path)) {
    broken = read(line);
    if (broken !== undefined) break;
  }
  if (check === undefined)
    throw new Failure(`${path} is no export of an audit trail.`, "Make one: astralog audit export");

  const key = publicKey ?? header?.public_key ?? "";
  const heads = end === undefined ? points : [end, ...points];
  if (broken === undefined && header !== undefined && end === undefined)
    broken = { seq: next(), problem: "the export's last line, the signed head, is missing (truncated)" };
  if (broken === undefined && header === undefined && points.length + hashes.length === 0) {
    throw new Failure(
      "A CSV carries no signed head, so what is missing at its end would not be seen.",
      "Give one with --head (astralog audit head prints it), or verify a JSON export.",
      2,
    );
  }
  broken ??= check.finish(end);
  if (broken === undefined) {
    // A kept head is trusted for having been kept; another key may have signed it before the keys were changed.
    const unsigned = heads.find(
      (head) => !isSignedHead(head, key) && (head === end || head.key_id === auditKeyId(key)),
    );
    if (unsigned !== undefined)
      broken = { seq: unsigned.seq, problem: `its head is not signed by the key ${auditKeyId(key)} (forged)` };
  }
  const last = check.last;
  return {
    broken,
    tenant: header?.tenant ?? last?.tenant ?? "",
    count: check.count,
    first: check.first,
    last,
    provenTo: hashes.length > 0 && end === undefined ? check.count : Math.max(0, ...heads.map(({ seq }) => seq)),
    keyId: key === "" ? "" : auditKeyId(key),
    keyGiven: publicKey !== undefined,
  };
};

export interface KeptFiles {
  read(path: string): string;
  /** The JSON files of a folder, those below it included; undefined where there is no folder. */
  folder(path: string): readonly string[] | undefined;
}

/** The head in a file that `astralog audit head`, an export or a bucket's archive wrote. */
const headIn = (text: string): AuditHead | undefined => {
  for (const part of [text, text.trimEnd().split("\n").at(-1) ?? ""]) {
    try {
      const value = JSON.parse(part) as { head?: unknown } | null;
      const head = value?.head ?? value;
      if (isHead(head)) return head;
    } catch {
      // The last line may be one.
    }
  }
  return undefined;
};

/** Each of `given` is a hash, a file with a head, or a folder of such files. */
export const readKept = (given: readonly string[], { read, folder }: KeptFiles): Kept => {
  const isHash = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text);
  const headOf = (path: string): AuditHead => {
    let written: string;
    try {
      written = read(path);
    } catch {
      throw new Failure(
        `--head is "${path}", which is neither a readable file or folder nor a hash of 64 hex digits.`,
        "",
        2,
      );
    }
    const head = headIn(written);
    if (head === undefined) throw new Failure(`${path} holds no signed head.`, "astralog audit head prints one.", 2);
    return head;
  };
  const headsOf = (path: string): AuditHead[] => {
    const files = folder(path);
    if (files?.length === 0) throw new Failure(`${path} has no .json files, so no heads.`, "", 2);
    return (files ?? [path]).map(headOf);
  };
  return {
    hashes: given.filter(isHash).map((text) => text.toLowerCase()),
    heads: given.filter((text) => !isHash(text)).flatMap(headsOf),
  };
};
