/** What an admin key may read of its tenant's audit trail. */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Log } from "@astralog/chassis";
import {
  type AuditHead,
  type AuditSigner,
  auditActions,
  csvHeader,
  csvLine,
  exportFormat,
  jsonLine,
} from "@astralog/schemas";
import { instantForms, parseInstant } from "@astralog/schemas/query/index";
import { Router } from "express";
import { z } from "zod";
import { callerOf } from "../authenticate.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { listAudit, readAudit } from "./audit-events.ts";
import type { AuditHeads } from "./audit-heads.ts";
import type { Audit } from "./audit-request.ts";
import { recordAct } from "./audit-trail.ts";

export interface AuditRoutesDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly heads: AuditHeads;
  readonly signer: AuditSigner;
  readonly log: Log;
}

const listInput = z.strictObject({
  action: z.enum(auditActions).optional(),
  actor: z.string().max(128).optional(),
  target: z.string().max(256).optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, "give back `next` of the page before, unchanged")
    .transform(Number)
    .optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});
const exportInput = z.strictObject({ format: z.enum(["json", "csv"]).default("json") });

const instant = (name: string, text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined;
  const found = parseInstant(text, Date.now());
  if (found === undefined) throw new Fault("invalid_request", `${name}: is no time. ${instantForms}`);
  // Whole milliseconds, as the trail has them; "from" and "to" mean the same instant whichever way it is cut.
  return new Date(Number((found + 999_999n) / 1_000_000n));
};

const anchorMs = 10_000;

export const createAuditRoutes = ({ db, audit, heads, signer, log }: AuditRoutesDeps): Router => {
  const router = Router();

  router.get("/audit", async (request, response) => {
    const { from, to, cursor, ...rest } = listInput.parse(request.query);
    const filter = { ...rest, from: instant("from", from), to: instant("to", to), before: cursor };
    const { tenant } = callerOf(response);
    const events = await withPostgres(() => listAudit(db, tenant, { ...filter, limit: filter.limit + 1 }));
    audit.note(response, { action: "audit.listed", target: { kind: "audit", id: "" } });
    const page = events.slice(0, filter.limit);
    response.json({ events: page, next: events.length > page.length ? String(page.at(-1)?.seq) : null });
  });

  /** The head that Kafka has, once it has the event `seq`; at once when the trail is broken, for that is what it proves. */
  const anchoredFrom = async (tenant: string, seq: number): Promise<AuditHead> => {
    for (const end = Date.now() + anchorMs; Date.now() < end; await sleep(20)) {
      const head = heads.anchored(tenant);
      if (head !== undefined && (head.seq >= seq || !(await heads.isIntact(tenant)))) return head;
    }
    throw new Fault("kafka_unavailable", "The trail's signed head has not reached Kafka yet; try again.", {
      retriable: true,
    });
  };

  router.get("/audit/head", async (_, response) => {
    const head = heads.anchored(callerOf(response).tenant);
    if (head === undefined) throw new Fault("not_found", "No signed head has reached Kafka yet.");
    response.json({ head, public_key: signer.publicKey });
  });

  router.get("/audit/export", async (request, response) => {
    const { format } = exportInput.parse(request.query);
    const { tenant } = callerOf(response);
    // The export's own event is in it, so the trail tells when it was taken, and by whom.
    const { seq } = await withPostgres(() =>
      db.transaction().execute((trx) =>
        recordAct(trx, audit.by(response), {
          tenant,
          action: "audit.exported",
          target: { kind: "audit", id: "" },
          details: { format },
        }),
      ),
    );
    const head = await withPostgres(() => anchoredFrom(tenant, seq));
    const lines = async function* () {
      if (format === "csv") {
        yield csvHeader;
        for await (const event of readAudit(db, tenant, head.seq)) yield csvLine(event);
        return;
      }
      yield jsonLine({ format: exportFormat, tenant, key_id: signer.keyId, public_key: signer.publicKey });
      for await (const event of readAudit(db, tenant, head.seq)) yield jsonLine(event);
      yield jsonLine({ head });
    };
    response.setHeader(
      "Content-Type",
      format === "csv" ? "text/csv; charset=utf-8" : "application/jsonl; charset=utf-8",
    );
    response.setHeader(
      "Content-Disposition",
      `attachment; filename="audit-${tenant}.${format === "csv" ? "csv" : "jsonl"}"`,
    );
    try {
      await pipeline(Readable.from(lines()), response);
    } catch (error) {
      // Too late for an answer: the connection is cut, and an export without its last line verifies as cut.
      log.warn({ err: error, tenant, request_id: response.locals.requestId as string }, "an audit export was cut");
    }
  });

  return router;
};
