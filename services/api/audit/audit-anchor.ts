/**
 * Puts the heads of trails into their organizations' own buckets, while this process carries the outbox: there nobody who
 * runs the platform can take them back. What is put is the head that Kafka has. An object is never replaced, so a trail
 * that was written anew, with Postgres, Kafka and the signing key at hand, still contradicts the heads from before.
 */
import type { Log } from "@astralog/chassis";
import { isHead } from "@astralog/schemas/audit-export";
import type { AuditHead } from "@astralog/schemas/audit-head";
import { archiveNames } from "@astralog/schemas/storage";
import { whileLeading } from "../control/while-leading.ts";
import type { ConnectionRow } from "../storage/connection-rows.ts";
import type { Connections } from "../storage/connections.ts";
import type { AuditHeads } from "./audit-heads.ts";

export type AnchorOutcome = "put" | "contradicted" | "failed";

export interface AnchorDeps {
  readonly connections: Pick<Connections, "all" | "open">;
  readonly heads: Pick<AuditHeads, "anchored">;
  readonly publicKey: string;
  readonly log: Log;
  leading(): boolean;
  /** Told what came of each head. */
  anchored?(outcome: AnchorOutcome): void;
}

const pollMs = 2_000;
/** Between two heads of one bucket; the first comes at once. */
const restMs = 300_000;
/** A server that does not answer holds up those of the same turn, for its timeout. */
const mostAtOnce = 16;

const parsed = (bytes: Buffer | undefined): AuditHead | undefined => {
  try {
    const value = JSON.parse(bytes?.toString() ?? "") as { head?: unknown };
    return isHead(value.head) ? value.head : undefined;
  } catch {
    return undefined;
  }
};

export const startAuditAnchor = (deps: AnchorDeps): { stop(): Promise<void> } => {
  const { connections, heads, publicKey, log } = deps;
  /** By connection: the last head that its bucket was given, and when that was tried. */
  const last = new Map<string, { readonly seq: number; readonly at: number }>();

  const isDue = ({ id, tenant }: ConnectionRow): boolean => {
    const before = last.get(id);
    const head = heads.anchored(tenant);
    return head !== undefined && head.seq !== before?.seq && Date.now() - (before?.at ?? 0) >= restMs;
  };

  const anchor = async (row: ConnectionRow, head: AuditHead): Promise<AnchorOutcome> => {
    const bucket = await connections.open(row);
    const name = archiveNames.auditHead(head.seq);
    if (await bucket.putNew(name, Buffer.from(`${JSON.stringify({ head, public_key: publicKey })}\n`))) return "put";
    // From before a restart, or from the api that led before. The signature may be another key's.
    if (parsed(await bucket.get(name))?.hash === head.hash) return "put";
    log.error(
      { tenant: row.tenant, storage_connection: row.id, head },
      "the organization's bucket has another head of this audit trail: one of both was written anew; export and verify it",
    );
    return "contradicted";
  };

  const tryOne = async (row: ConnectionRow): Promise<void> => {
    const head = heads.anchored(row.tenant);
    if (head === undefined) return;
    const outcome = await anchor(row, head).catch((error: unknown): AnchorOutcome => {
      log.warn({ err: error, tenant: row.tenant, storage_connection: row.id }, "an audit head could not be put");
      return "failed";
    });
    deps.anchored?.(outcome);
    last.set(row.id, { seq: outcome === "failed" ? (last.get(row.id)?.seq ?? 0) : head.seq, at: Date.now() });
  };

  const failed = "audit heads wait for Postgres";
  return whileLeading({ everyMs: pollMs, failed, log, leading: deps.leading }, async (stopped) => {
    const rows = await connections.all();
    const known = new Set(rows.map(({ id }) => id));
    for (const id of last.keys()) if (!known.has(id)) last.delete(id);
    const due = rows.filter(isDue);
    for (let i = 0; i < due.length && !stopped.aborted; i += mostAtOnce)
      await Promise.all(due.slice(i, i + mostAtOnce).map(tryOne));
  });
};
