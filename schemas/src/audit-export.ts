/**
 * The two forms of an exported trail, written by the api and read by the command.
 *
 * JSON lines: a header with the format, the tenant and the public key; each event in canonical form; the signed head.
 * CSV: a line of names, then events. A cell that a spreadsheet would run gets an apostrophe in front, and so does one
 * that begins with an apostrophe, so that every cell can be read back. A CSV has no room for a head.
 */
import { type AuditEvent, canonicalJson, type Json } from "./audit.ts";
import type { AuditHead } from "./audit-head.ts";

export const exportFormat = "astralog.audit/1";

export interface ExportHeader {
  readonly format: typeof exportFormat;
  readonly tenant: string;
  readonly key_id: string;
  readonly public_key: string;
}

/** The last line. */
export interface ExportEnd {
  readonly head: AuditHead;
}

export const jsonLine = (value: ExportHeader | AuditEvent | ExportEnd): string =>
  `${canonicalJson(value as unknown as Json)}\n`;

const columns = [
  "v",
  "tenant",
  "seq",
  "at",
  "actor_kind",
  "actor_id",
  "actor_name",
  "action",
  "target_kind",
  "target_id",
  "ip",
  "user_agent",
  "request_id",
  "result",
  "details",
  "prev",
  "hash",
] as const;

export const csvHeader = `${columns.join(",")}\r\n`;

const cell = (text: string): string => {
  const safe = /^[=+\-@\t\r']/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

export const csvLine = (event: AuditEvent): string => {
  const { actor, target, where } = event;
  const cells = [
    String(event.v),
    event.tenant,
    String(event.seq),
    event.at,
    actor.kind,
    actor.id,
    actor.name,
    event.action,
    target.kind,
    target.id,
    where.ip,
    where.user_agent,
    where.request_id,
    event.result,
    canonicalJson(event.details),
    event.prev,
    event.hash,
  ];
  return `${cells.map(cell).join(",")}\r\n`;
};

/** The event of a CSV line without its line end, or undefined when it is none. */
export const parseCsvLine = (line: string): AuditEvent | undefined => {
  const cells = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) =>
    (quoted?.replaceAll('""', '"') ?? plain ?? "").replace(/^'/, ""),
  );
  if (cells.length !== columns.length) return undefined;
  const [v, tenant, seq, at, kind, id, name, action, tKind, tId, ip, agent, request, result, details, prev, hash] =
    cells;
  try {
    const event = {
      v: Number(v),
      tenant,
      seq: Number(seq),
      at,
      actor: { kind, id, name },
      action,
      target: { kind: tKind, id: tId },
      where: { ip, user_agent: agent, request_id: request },
      result,
      details: JSON.parse(details ?? "") as Json,
      prev,
      hash,
    } as AuditEvent;
    return isEvent(event) && csvLine(event) === `${line}\r\n` ? event : undefined;
  } catch {
    return undefined;
  }
};

const isEvent = (value: unknown): value is AuditEvent => {
  const { seq, v, tenant, hash, prev } = value as Partial<Record<keyof AuditEvent, unknown>>;
  return (
    v === 1 &&
    typeof seq === "number" &&
    Number.isSafeInteger(seq) &&
    [tenant, hash, prev].every((text) => typeof text === "string")
  );
};

/** A line of JSON as what it is. Undefined when it is none of these, or is not written in canonical form. */
export const parseJsonLine = (
  line: string,
): { header: ExportHeader } | { event: AuditEvent } | ExportEnd | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(line);
    // What is in the text twice, or not shown by a parser, must not hide behind a hash that fits.
    if (canonicalJson(value as Json) !== line) return undefined;
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if ("format" in value) return value.format === exportFormat ? { header: value as ExportHeader } : undefined;
  if ("head" in value) return isHead(value.head) ? { head: value.head } : undefined;
  return isEvent(value) ? { event: value } : undefined;
};

export const isHead = (value: unknown): value is AuditHead => {
  if (typeof value !== "object" || value === null) return false;
  const { seq, ...rest } = value as Record<string, unknown>;
  const texts = ["tenant", "hash", "at", "key_id", "signature"];
  return Number.isSafeInteger(seq) && texts.every((name) => typeof rest[name] === "string");
};
