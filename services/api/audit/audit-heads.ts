/**
 * The trails' heads outside Postgres. A head that stands in Kafka is evidence: it is replaced only by the head of a
 * chain in Postgres that still contains it. A trail that was cut or written anew therefore keeps the head that proves it.
 */
import type { ControlTable, Log } from "@astralog/chassis";
import type { AuditHead, AuditHeadRecord, AuditSigner } from "@astralog/schemas";
import { sql } from "kysely";
import { announceHead } from "../control/outbox.ts";
import type { ApiMetrics } from "../metrics.ts";
import type { Db } from "../postgres.ts";

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
  /** The tenants whose chains contain their heads, in one question. */
  const intactOf = async (heads: readonly AuditHead[]): Promise<Set<string>> => {
    const [tenants, seqs, hashes] = [heads.map((h) => h.tenant), heads.map((h) => h.seq), heads.map((h) => h.hash)];
    const { rows } = await sql<{ tenant: string }>`
      select e.tenant from audit_events e
      join unnest(${tenants}::text[], ${seqs}::bigint[], ${hashes}::text[]) as h (tenant, seq, hash)
      on e.tenant = h.tenant and e.seq = h.seq and e.hash = h.hash`.execute(db);
    return new Set(rows.map(({ tenant }) => tenant));
  };
  const isIntact = async (tenant: string): Promise<boolean> => {
    const head = anchored(tenant);
    return head === undefined || (await intactOf([head])).has(tenant);
  };
  const announceAnew = (tenant: string): Promise<void> =>
    db.transaction().execute(async (trx) => {
      const chain = await trx
        .selectFrom("audit_chains")
        .selectAll()
        .where("tenant", "=", tenant)
        .forUpdate()
        .executeTakeFirstOrThrow();
      const head = signer.sign({ ...chain, at: chain.at.toISOString() });
      const { key_id, signature } = head;
      await trx.updateTable("audit_chains").set({ key_id, signature }).where("tenant", "=", tenant).execute();
      await announceHead(trx, head);
    });
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
      const intact = await intactOf(heads);
      const broken = heads.map(({ tenant }) => tenant).filter((tenant) => !intact.has(tenant));
      metrics.auditBroken.set(broken.length);
      broken.forEach(tellBroken);
      for (const { tenant, hash, seq } of chains) {
        const head = anchored(tenant);
        if (head !== undefined && (!intact.has(tenant) || (head.hash === hash && head.key_id === signer.keyId)))
          continue;
        await announceAnew(tenant);
        log.warn({ tenant, seq }, "the audit trail's head is told to Kafka anew");
      }
    },
  };
};
