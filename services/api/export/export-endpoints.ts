/** `GET /export`: everything a query finds, as a file. */
import { Fault, type Log } from "@astralog/chassis";
import type { Response } from "express";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { goneSignal, readInstant, type Scoping, scopeOf } from "../search/request.ts";
import type { Scope } from "../search/scope.ts";
import type { ExportQueries } from "./clickhouse-export.ts";
import { type ExportFormat, type ExportRequest, exportFormats, exportSql, parquetSql } from "./export-sql.ts";
import { csvHeader, csvRow, jsonRow, sendWhole, textOf } from "./export-stream.ts";

export interface ExportEndpointsDeps extends Scoping {
  readonly exports: ExportQueries;
  readonly audit: Pick<Audit, "record">;
  readonly log: Log;
}

const exportQuery = z.strictObject({
  q: z.string().default(""),
  from: z.string().max(64).optional(),
  to: z.string().max(64).optional(),
  format: z.enum(exportFormats).default("ndjson"),
});

/** Each holds a connection to ClickHouse and a core of it; searches must go on beside them. */
const maxAtOnce = { all: 8, tenant: 2 };

const mediaTypes: Readonly<Record<ExportFormat, string>> = {
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  parquet: "application/vnd.apache.parquet",
};

export const createExportEndpoints = (deps: ExportEndpointsDeps): Endpoint[] => {
  const running = new Map<string, number>();
  const enter = (tenant: string): (() => void) => {
    const mine = running.get(tenant) ?? 0;
    const all = [...running.values()].reduce((sum, count) => sum + count, 0);
    if (mine >= maxAtOnce.tenant || all >= maxAtOnce.all) {
      throw new Fault("busy", `An organization may run ${maxAtOnce.tenant} exports at once; let one end first.`);
    }
    running.set(tenant, mine + 1);
    return () => {
      const left = (running.get(tenant) ?? 1) - 1;
      if (left === 0) running.delete(tenant);
      else running.set(tenant, left);
    };
  };

  const open = async (format: ExportFormat, request: ExportRequest, scope: Scope, signal: AbortSignal) => {
    const { tenant } = scope;
    if (format === "parquet") return deps.exports.parquet(tenant, parquetSql(request, scope), signal);
    const context = { topicPrefix: deps.topicPrefix, sourceNames: scope.names.sources };
    const rows = await deps.exports.rows(tenant, exportSql(request, scope), signal);
    return format === "csv"
      ? textOf(rows, csvHeader, (row) => csvRow(row, context))
      : textOf(rows, "", (row) => jsonRow(row, context));
  };

  return [
    endpoint({
      method: "get",
      path: "/export",
      access: "events.read",
      tag: "events",
      summary: "Everything that a query finds, as a file without limit on its size.",
      query: exportQuery,
      success: { status: 200, content: "application/octet-stream" },
      handle: async ({ query: { q, from, to, format }, caller, response }) => {
        const now = Date.now();
        const scope = scopeOf(caller, deps);
        const request = { q, now, from: readInstant("from", from, now), to: readInstant("to", to, now) };
        // Says what is wrong with the query before anything is written down or begun.
        exportSql(request, scope);
        const leave = enter(scope.tenant);
        try {
          await deps.audit.record(response, {
            action: "events.exported",
            target: { kind: "events", id: "" },
            details: { format, q, from: from ?? "", to: to ?? "" },
          });
          const pieces = await open(format, request, scope, goneSignal(response));
          head(response, format, now);
          const cut = await sendWhole(pieces, response);
          if (cut !== undefined) {
            const { tenant } = scope;
            deps.log.warn({ err: cut, tenant, request_id: response.locals.requestId as string }, "an export was cut");
          }
        } finally {
          leave();
        }
      },
    }),
  ];
};

const head = (response: Response, format: ExportFormat, now: number): void => {
  const at = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  response.status(200).setHeader("Content-Type", mediaTypes[format]);
  response.setHeader("Content-Disposition", `attachment; filename="events-${at}Z.${format}"`);
};
