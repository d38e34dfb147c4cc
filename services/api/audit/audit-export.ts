/** A whole trail as lines, up to a head that Kafka has: what an export is, and what a takeout takes along. */
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "@astralog/chassis";
import { type AuditHead, type AuditSigner, exportFormat, jsonLine } from "@astralog/schemas";
import type { Db } from "../postgres.ts";
import { readAudit } from "./audit-events.ts";
import type { AuditHeads } from "./audit-heads.ts";

const anchorMs = 10_000;

/** The head that Kafka has, once it has the event `seq`; at once when the trail is broken, for that is what it proves. */
export const anchoredFrom = async (heads: AuditHeads, tenant: string, seq: number): Promise<AuditHead> => {
  for (const end = Date.now() + anchorMs; Date.now() < end; await sleep(20)) {
    const head = heads.anchored(tenant);
    if (head !== undefined && (head.seq >= seq || !(await heads.isIntact(tenant)))) return head;
  }
  throw new Fault("kafka_unavailable", "The trail's signed head has not reached Kafka yet; try again.", {
    retriable: true,
  });
};

export async function* auditLines(db: Db, signer: AuditSigner, head: AuditHead): AsyncGenerator<string> {
  const { tenant, seq } = head;
  yield jsonLine({ format: exportFormat, tenant, key_id: signer.keyId, public_key: signer.publicKey });
  for await (const event of readAudit(db, tenant, seq)) yield jsonLine(event);
  yield jsonLine({ head });
}
