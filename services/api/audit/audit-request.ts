/** What the audit trail keeps of a request: whose it is and where it came from. */
import { plainAddress } from "@astralog/chassis";
import { type AuditSigner, systemChain } from "@astralog/schemas";
import type { Response } from "express";
import { callerOf, type Refusal } from "../authenticate.ts";
import { type Db, withPostgres } from "../postgres.ts";
import type { AuditCounts } from "./audit-counts.ts";
import { type Act, auditText, type By, recordAct } from "./audit-trail.ts";

const longestAgent = 120;

const whereOf = ({ req: request, locals }: Response): By["where"] => ({
  ip: plainAddress(request.ip ?? ""),
  user_agent: auditText(request.headers["user-agent"] ?? "").slice(0, longestAgent),
  request_id: locals.requestId as string,
});

export interface Audit {
  /** The key that asks. */
  by(response: Response): By;
  /** An act without a transaction of its own, before its answer. Faults: `postgres_unavailable`. */
  record(response: Response, act: Omit<Act, "tenant">): Promise<void>;
  /** An act that may come often, and whose answer does not wait for it. */
  note(response: Response, act: Omit<Act, "tenant" | "details">, reason?: string): void;
  /** Somebody who was refused, before there is a caller. */
  refused(response: Response, refusal: Refusal): void;
  /** A caller who asked for what his key may not do. */
  denied(response: Response, reason: string): void;
}

export const createAudit = ({ db, signer, counts }: { db: Db; signer: AuditSigner; counts: AuditCounts }): Audit => {
  const by: Audit["by"] = (response) => ({
    signer,
    actor: { kind: "key", id: callerOf(response).keyId },
    where: whereOf(response),
  });
  const api = { kind: "api", id: "" };
  return {
    by,
    record: async (response, act) => {
      const { tenant } = callerOf(response);
      await withPostgres(() => db.transaction().execute((trx) => recordAct(trx, by(response), { tenant, ...act })));
    },
    note: (response, act, reason = "") =>
      counts.note(by(response), { tenant: callerOf(response).tenant, ...act }, reason),
    refused: (response, { key, reason }) => {
      const actor =
        key === undefined ? { kind: "anonymous" as const, id: "" } : { kind: "key" as const, id: key.keyId };
      const act = { tenant: key?.tenant ?? systemChain, action: "auth.failed", target: api, result: "denied" } as const;
      counts.note({ signer, actor, where: whereOf(response) }, act, reason);
    },
    denied: (response, reason) =>
      counts.note(
        by(response),
        { tenant: callerOf(response).tenant, action: "access.denied", target: api, result: "denied" },
        reason,
      ),
  };
};
