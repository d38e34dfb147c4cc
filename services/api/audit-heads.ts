/**
 * The trails' heads outside Postgres. A head that stands in Kafka is evidence: it is replaced only by the head of a
 * chain in Postgres that still contains it. A trail that was cut or written anew therefore keeps the head that proves it.
 */
import type { ControlTable, Log } from "@astralog/chassis";
import type { AuditHead, AuditHeadRecord, AuditSigner } from "@astralog/schemas";
import type { ApiMetrics } from "./metrics.ts";
import { announceHead } from "./outbox.ts";
import type { Db } from "./postgres.ts";

export interface AuditHeads {
  readonly complete: boolean;
  /** What Kafka has. */
  anchored(tenant: string): AuditHead | undefined;
  /** Whether the chain in Postgres contains the head that Kafka has. */
  isIntact(tenant: string): Promise<boolean>;
  /** Whether this head may be published. Logs when it must not. */
  admits(record: Pick<AuditHeadRecord, "tenant" | "seq">): Promise<boolean>;
  /** Compares all chains with all heads; publishes heads that Kafka lacks, signed with the key of today. */
  reconcile(): Promise<void>;
}

export const headOf = (record: AuditHeadRecord): AuditHead => ({
  ...record,
  seq: Number(record.seq),
  at: new Date(Number(record.at)).toISOString(),
});

export const createAuditHeads = (deps: {
  db: Db;
  table: ControlTable<AuditHeadRecord>;
  signer: AuditSigner;
  metrics: ApiMetrics;
  log: Log;
}): AuditHeads => {
  const { db, table, signer, metrics, log } = deps;
  const anchored = (tenant: string): AuditHead | undefined => {
    const record = table.get(tenant);
    return record === undefined ? undefined : headOf(record);
  };
  const contains = async ({ tenant, seq, hash }: AuditHead): Promise<boolean> => {
    const row = await db
      .selectFrom("audit_events")
      .select("hash")
      .where("tenant", "=", tenant)
      .where("seq", "=", seq)
      .executeTakeFirst();
    return row?.hash === hash;
  };
  const isIntact = async (tenant: string): Promise<boolean> => {
    const head = anchored(tenant);
    return head === undefined || contains(head);
  };
  const tellBroken = (tenant: string): void =>
    void log.error(
      { tenant, head: anchored(tenant) },
      "the audit trail in Postgres does not contain its signed head in Kafka: it was cut or changed; export and verify it",
    );

  return {
    get complete() {
      return table.complete;
    },
    anchored,
    isIntact,
    admits: async ({ tenant, seq }) => {
      const head = anchored(tenant);
      // A repeat of the outbox after a crash; Kafka has a newer one.
      if (head !== undefined && head.seq > Number(seq)) return false;
      if (await isIntact(tenant)) return true;
      tellBroken(tenant);
      return false;
    },
    reconcile: async () => {
      const heads = [...table.values()].map(headOf);
      const chains = await db.selectFrom("audit_chains").selectAll().execute();
      const broken = new Set<string>();
      for (const head of heads) {
        if (await contains(head)) continue;
        broken.add(head.tenant);
        tellBroken(head.tenant);
      }
      metrics.auditBroken.set(broken.size);
      for (const { tenant } of chains) {
        const head = anchored(tenant);
        const chain = chains.find((one) => one.tenant === tenant);
        if (chain === undefined || broken.has(tenant)) continue;
        if (head?.hash === chain.hash && head.key_id === signer.keyId) continue;
        await db.transaction().execute(async (trx) => {
          const now = await trx
            .selectFrom("audit_chains")
            .selectAll()
            .where("tenant", "=", tenant)
            .forUpdate()
            .executeTakeFirst();
          if (now === undefined) return;
          const signed = signer.sign({ tenant, seq: now.seq, hash: now.hash, at: now.at.toISOString() });
          const { key_id, signature } = signed;
          await trx.updateTable("audit_chains").set({ key_id, signature }).where("tenant", "=", tenant).execute();
          await announceHead(trx, signed);
        });
        log.info({ tenant, seq: chain.seq }, "the audit trail's head is told to Kafka anew");
      }
    },
  };
};
