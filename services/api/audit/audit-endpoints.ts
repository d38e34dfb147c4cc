/** The audit trail over HTTP: a page, its signed head, and all of it. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Fault, type Log } from "@astralog/chassis";
import { type AuditSigner, actorKinds, auditActions, auditResults, csvHeader, csvLine } from "@astralog/schemas";
import { instantForms, parseInstant } from "@astralog/schemas/query/index";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { listAudit, readAudit } from "./audit-events.ts";
import { anchoredFrom, auditLines } from "./audit-export.ts";
import type { AuditHeads } from "./audit-heads.ts";
import type { Audit } from "./audit-request.ts";
import { recordAct } from "./audit-trail.ts";

export interface AuditDeps {
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

const eventShape = z.looseObject({
  v: z.literal(1),
  tenant: z.string(),
  seq: z.int(),
  at: z.iso.datetime(),
  actor: z.object({ kind: z.enum(actorKinds), id: z.string(), name: z.string() }),
  action: z.string(),
  target: z.object({ kind: z.string(), id: z.string() }),
  where: z.object({ ip: z.string(), user_agent: z.string(), request_id: z.string() }),
  result: z.enum(auditResults),
  details: z.record(z.string(), z.unknown()),
  prev: z.string(),
  hash: z.string(),
});
const headShape = z.looseObject({ tenant: z.string(), seq: z.int(), hash: z.string(), signature: z.string() });

export const createAuditEndpoints = ({ db, audit, heads, signer, log }: AuditDeps): Endpoint[] => {
  const tag = "audit";

  const list = endpoint({
    ...{ method: "get", path: "/audit", access: "audit.read", tag, summary: "What was done, newest first" },
    query: listInput,
    success: { status: 200, body: z.object({ events: z.array(eventShape), next: z.string().nullable() }) },
    handle: async ({ query, caller, response }) => {
      const { from, to, cursor, ...rest } = query;
      const filter = { ...rest, from: instant("from", from), to: instant("to", to), before: cursor };
      const events = await withPostgres(() => listAudit(db, caller.tenant, { ...filter, limit: filter.limit + 1 }));
      audit.note(response, { action: "audit.listed", target: { kind: "audit", id: "" } });
      const page = events.slice(0, filter.limit);
      return { events: page, next: events.length > page.length ? String(page.at(-1)?.seq) : null };
    },
  });

  const head = endpoint({
    ...{ method: "get", path: "/audit/head", access: "audit.read", tag, summary: "The trail's signed end, from Kafka" },
    success: { status: 200, body: z.object({ head: headShape, public_key: z.string() }) },
    handle: ({ caller }) => {
      const found = heads.anchored(caller.tenant);
      if (found === undefined) throw new Fault("not_found", "No signed head has reached Kafka yet.");
      return { head: found, public_key: signer.publicKey };
    },
  });

  const exported = endpoint({
    ...{ method: "get", path: "/audit/export", access: "audit.read", tag, summary: "The whole trail, in a stream" },
    query: exportInput,
    success: { status: 200, content: "application/jsonl" },
    handle: async ({ query: { format }, caller: { tenant }, response }) => {
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
      const head = await withPostgres(() => anchoredFrom(heads, tenant, seq));
      const lines = async function* () {
        if (format === "csv") {
          yield csvHeader;
          for await (const event of readAudit(db, tenant, head.seq)) yield csvLine(event);
          return;
        }
        yield* auditLines(db, signer, head);
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
    },
  });

  return [list, head, exported];
};
