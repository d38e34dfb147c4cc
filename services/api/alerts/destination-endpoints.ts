/** Where alerts are sent, over HTTP: with a preview, a test, and what came of each notice. */
import { Fault, type Notifier, wordsOf } from "@astralog/chassis";
import { isTarget, type NoticeState, ruleShape, type Try } from "@astralog/schemas/alerts/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { recordAct } from "../audit/audit-trail.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { before, pageOf, pageQuery } from "../http/paging.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { type DestinationRow, destinationOf } from "./control-records.ts";
import {
  changedDestination,
  destinationShape,
  madeDestination,
  newDestination,
  templateShape,
} from "./destination-shapes.ts";
import type { Destinations } from "./destinations.ts";
import { sampleNotice } from "./sample-notice.ts";

export interface DestinationEndpointsDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
  readonly destinations: Destinations;
  readonly notifier: Pick<Notifier, "attempt">;
  readonly publicUrl: URL;
}

const shown = (row: DestinationRow) => ({
  ...{ id: row.id, name: row.name, kind: row.kind, settings: row.settings, template: row.template },
  ...{ standard: row.standard, enabled: row.disabled_at === null, problem: row.problem, version: row.version },
  ...{ created_at: row.created_at, updated_at: row.updated_at },
});

const outcomeShape = z.object({ outcome: z.enum(["taken", "gone", "failed"]), problem: z.string() });
const noticeShape = z.object({
  ...{ id: z.string(), destination: z.string(), status: z.string(), created_at: z.iso.datetime() },
  ...{ problem: z.string(), attempts: z.int(), next_try_at: z.iso.datetime().nullable() },
  tries: z.array(z.object({ at: z.iso.datetime(), ms: z.number(), problem: z.string() })),
  notice: z.record(z.string(), z.unknown()),
});

export const createDestinationEndpoints = (deps: DestinationEndpointsDeps): Endpoint[] => {
  const { db, audit, destinations, notifier, publicUrl } = deps;
  const tag = "alerts";
  const read = { access: "alerts.read", tag } as const;
  const write = { access: "alerts.destinations", tag } as const;
  const one = { success: { status: 200, body: destinationShape }, etag: true } as const;
  const held = (unchanged: (shown: unknown) => void) => (row: DestinationRow) => unchanged(shown(row));
  return [
    endpoint({
      ...{ ...read, method: "get", path: "/alerts/destinations", summary: "Where alerts are sent" },
      success: { status: 200, body: z.object({ destinations: z.array(destinationShape) }) },
      handle: ({ caller }) =>
        withPostgres(async () => ({ destinations: (await destinations.list(caller.tenant)).map(shown) })),
    }),
    endpoint({
      ...{ ...read, ...one, method: "get", path: "/alerts/destinations/:id", summary: "One destination" },
      handle: ({ caller, params }) =>
        withPostgres(async () => shown(await destinations.find(caller.tenant, params.id))),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/alerts/destinations", summary: "Make a destination" },
      body: newDestination,
      success: { status: 201, body: madeDestination },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => {
          const { row, secret } = await destinations.create(caller.tenant, body, audit.by(response));
          return { ...shown(row), secret };
        }),
    }),
    endpoint({
      ...{ ...write, ...one, method: "patch", path: "/alerts/destinations/:id", summary: "Change a destination" },
      body: changedDestination,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(async () =>
          shown(await destinations.change(caller.tenant, params.id, body, held(unchanged), audit.by(response))),
        ),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/alerts/destinations/:id/rotate", summary: "Renew a webhook's secret" },
      body: z.strictObject({ overlap_seconds: z.int().min(0).max(604_800).default(86_400) }),
      success: { status: 200, body: madeDestination },
      handle: ({ caller, params, body, response }) =>
        withPostgres(async () => {
          const by = audit.by(response);
          const { row, secret } = await destinations.rotate(caller.tenant, params.id, body.overlap_seconds, by);
          return { ...shown(row), secret };
        }),
    }),
    endpoint({
      ...{ ...write, method: "delete", path: "/alerts/destinations/:id", summary: "Remove a destination" },
      success: { status: 204 },
      handle: ({ caller, params, unchanged, response }) =>
        withPostgres(() => destinations.remove(caller.tenant, params.id, held(unchanged), audit.by(response))),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/alerts/destinations/:id/test", summary: "Send a test there, now" },
      success: { status: 200, body: outcomeShape },
      handle: ({ caller, params, response }) =>
        withPostgres(async () => {
          const row = await destinations.find(caller.tenant, params.id);
          const target = destinationOf(row);
          if (!isTarget(target)) throw new Fault("invalid_request", "Test the destinations that it leads to.");
          const outcome = await notifier.attempt(
            target,
            sampleNotice({ tenant: caller.tenant, target: row.id, publicUrl }),
          );
          await destinations.tested(row, outcome.kind, audit.by(response));
          return { outcome: outcome.kind, problem: outcome.kind === "taken" ? "" : outcome.problem };
        }),
    }),
    endpoint({
      ...{
        ...read,
        method: "post",
        path: "/alerts/destinations/preview",
        summary: "What a template makes of an example, or of what a rule might find",
      },
      body: templateShape.extend({ rule: ruleShape.optional() }),
      success: { status: 200, body: z.object({ title: z.string(), text: z.string() }) },
      handle: ({ caller, body }) => {
        const notice = sampleNotice({ tenant: caller.tenant, target: "", publicUrl }, body.rule);
        return wordsOf({ ...notice, happening: "began" }, body);
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/alerts/notices", summary: "What was sent, the newest first, with each try" },
      query: pageQuery.extend({ destination: z.string().max(40).optional(), incident: z.string().max(40).optional() }),
      success: { status: 200, body: z.object({ notices: z.array(noticeShape), next: z.string().nullable() }) },
      handle: ({ caller, query }) =>
        withPostgres(async () => {
          const { destination, incident } = query;
          const rows = await db
            .selectFrom("alert_notices")
            .selectAll()
            .where("tenant", "=", caller.tenant)
            .$if(destination !== undefined, (from) => from.where("destination", "=", destination ?? ""))
            .$if(incident !== undefined, (from) =>
              from.where((eb) => eb(eb.val(incident ?? ""), "=", eb.fn.any("incidents"))),
            )
            .where(before(query.cursor))
            .orderBy("created_at", "desc")
            .orderBy("id", "desc")
            .limit(query.limit + 1)
            .execute();
          const { page, next } = pageOf(rows, query.limit);
          return {
            notices: page.map(({ id, destination: to, status, created_at, body }) =>
              noticeOf(id, to, status, created_at, body as NoticeState),
            ),
            next,
          };
        }),
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/alerts/notices/:id/repeat",
        summary: "Send a notice again, now, under its id",
      },
      success: { status: 200, body: outcomeShape },
      handle: ({ caller, params, response }) =>
        withPostgres(async () => {
          const found = await db
            .selectFrom("alert_notices")
            .selectAll()
            .where("tenant", "=", caller.tenant)
            .where("id", "=", params.id)
            .executeTakeFirst();
          if (found === undefined) throw new Fault("not_found", "There is no such notice.");
          const target = destinationOf(await destinations.find(caller.tenant, found.destination));
          if (!isTarget(target)) throw new Fault("invalid_request", "Its destination has become another.");
          const outcome = await notifier.attempt(target, (found.body as NoticeState).notice);
          await db.transaction().execute((trx) =>
            recordAct(trx, audit.by(response), {
              ...{
                tenant: caller.tenant,
                action: "alert.notice_repeated",
                target: { kind: "alert_notice", id: found.id },
              },
              details: { destination: found.destination, outcome: outcome.kind },
            }),
          );
          return { outcome: outcome.kind, problem: outcome.kind === "taken" ? "" : outcome.problem };
        }),
    }),
  ];
};

const noticeOf = (id: string, destination: string, status: string, created_at: Date, body: NoticeState) => ({
  ...{ id, destination, status, created_at, problem: body.problem, attempts: body.attempts },
  next_try_at: status === "due" ? new Date(body.nextAt) : null,
  tries: body.tries.map(({ at, ms, problem }: Try) => ({ at: new Date(at), ms, problem })),
  notice: body.notice,
});
