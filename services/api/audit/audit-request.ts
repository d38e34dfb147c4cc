/** What the audit trail keeps of a request: whose it is and where it came from. */
import { plainAddress } from "@astralog/chassis";
import { type AuditSigner, systemChain } from "@astralog/schemas";
import type { Response } from "express";
import type { Refusal } from "../http/authenticate.ts";
import { askerOf } from "../http/caller.ts";
import { type Db, withPostgres } from "../postgres.ts";
import type { AuditCounts } from "./audit-counts.ts";
import { type Act, auditText, type By, recordAct } from "./audit-trail.ts";

const longestAgent = 120;

const whereOf = ({ req: request, locals }: Response): By["where"] => ({
  ip: plainAddress(request.ip ?? ""),
  user_agent: auditText(request.headers["user-agent"] ?? "").slice(0, longestAgent),
  request_id: locals.requestId as string,
});

/** Of the organization acted in; of none for a person without one, and before anybody is known. */
const chainOf = (response: Response): string => {
  const asker = askerOf(response);
  return asker !== undefined && "tenant" in asker ? asker.tenant : systemChain;
};

export interface Audit {
  /** Who asks, or `actor` when the endpoint itself found out who does. */
  by(response: Response, actor?: By["actor"]): By;
  /** An act without a transaction of its own, before its answer. Faults: `postgres_unavailable`. */
  record(response: Response, act: Omit<Act, "tenant">): Promise<void>;
  /** An act that may come often, and whose answer does not wait for it. */
  note(response: Response, act: Omit<Act, "tenant" | "details">, reason?: string): void;
  /** Somebody who was refused, before there is a caller. */
  refused(response: Response, refusal: Refusal): void;
  /** A caller who asked for what he may not do. */
  denied(response: Response, reason: string): void;
}

export const createAudit = ({ db, signer, counts }: { db: Db; signer: AuditSigner; counts: AuditCounts }): Audit => {
  const by: Audit["by"] = (response, actor) => {
    const asking = actor ?? askerOf(response)?.actor ?? { kind: "anonymous" as const, id: "", name: "" };
    // A key's name is not known here; the trail looks it up.
    const named = asking.kind === "key" ? { kind: asking.kind, id: asking.id } : asking;
    return { signer, actor: named, where: whereOf(response) };
  };
  const api = { kind: "api", id: "" };
  return {
    by,
    record: async (response, act) => {
      const tenant = chainOf(response);
      await withPostgres(() => db.transaction().execute((trx) => recordAct(trx, by(response), { tenant, ...act })));
    },
    note: (response, act, reason = "") => counts.note(by(response), { tenant: chainOf(response), ...act }, reason),
    refused: (response, { key, reason }) => {
      const actor =
        key === undefined ? { kind: "anonymous" as const, id: "" } : { kind: "key" as const, id: key.keyId };
      const act = { tenant: key?.tenant ?? systemChain, action: "auth.failed", target: api, result: "denied" } as const;
      counts.note(by(response, actor), act, reason);
    },
    denied: (response, reason) =>
      counts.note(
        by(response),
        { tenant: chainOf(response), action: "access.denied", target: api, result: "denied" },
        reason,
      ),
  };
};
