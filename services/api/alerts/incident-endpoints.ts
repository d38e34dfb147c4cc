/** Incidents over HTTP, with their history and evidence, and what people say about them. */
import { Fault } from "@astralog/chassis";
import { matcherShape, scheduleShape } from "@astralog/schemas/alerts/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { before, pageOf, pageQuery } from "../http/paging.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { addSilence, endSilence, listSilences, type NewAction, sayOfIncident, withNames } from "./actions.ts";
import type { ActionRow } from "./control-records.ts";

export interface IncidentEndpointsDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
}

const date = z.iso.datetime();
const record = z.record(z.string(), z.unknown());
const incidentShape = z.object({
  ...{ id: z.string(), rule: z.string(), state: z.string(), closed: z.boolean(), created_at: date },
  incident: record.describe("As the alerter has it: group, labels, latest change, whom it told, what holds it back."),
});
const saidShape = z.object({
  ...{ id: z.string(), kind: z.string(), matchers: z.array(record), incident: z.string(), comment: z.string() },
  ...{
    starts_at: date,
    ends_at: date.nullable(),
    schedule: record.nullable(),
    created_by: z.string(),
    created_at: date,
  },
});
const namedShape = saidShape.extend({
  created_by_name: z.string().describe("A person's name or address, a key's name or ends; empty of who is gone."),
});
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const comment = z.string().max(1_000).default("");

const said = <T extends ActionRow>({ tenant: _, ...row }: T) => row;

const newSilence = z
  .strictObject({
    kind: z.enum(["silence", "maintenance"]).default("silence"),
    matchers: z.array(matcherShape).min(1).max(20),
    starts_at: instant.optional(),
    ends_at: instant.optional(),
    schedule: scheduleShape.optional().describe("Within these times, in such hours only."),
    comment,
  })
  .refine(
    ({ starts_at, ends_at }) => ends_at === undefined || ends_at > (starts_at ?? new Date()),
    "ends_at: lies before the beginning",
  )
  .refine(
    ({ kind, ends_at }) => kind === "maintenance" || ends_at !== undefined,
    "ends_at: a silence needs an end, or it is forgotten",
  );

export const createIncidentEndpoints = ({ db, audit }: IncidentEndpointsDeps): Endpoint[] => {
  const tag = "alerts";
  const read = { access: "alerts.read", tag } as const;
  const write = { access: "alerts.write", tag } as const;
  const find = async (tenant: string, id: string) => {
    const row = await db
      .selectFrom("alert_incidents")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("id", "=", id)
      .executeTakeFirst();
    if (row === undefined) throw new Fault("not_found", "There is no such incident.");
    return row;
  };
  const view = ({ id, rule, state, closed, created_at, body }: Awaited<ReturnType<typeof find>>) => ({
    ...{ id, rule, state, closed, created_at, incident: body },
  });
  const speak = (path: "acknowledge" | "snooze" | "resolve", kind: NewAction["kind"], summary: string): Endpoint =>
    endpoint({
      ...{ ...write, method: "post", path: `/alerts/incidents/:id/${path}`, summary },
      params: z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/) }),
      body: z
        .strictObject({ until: instant.optional(), comment })
        .refine(({ until }) => path !== "snooze" || until !== undefined, "until: a snooze needs an end"),
      success: { status: 201, body: saidShape },
      handle: ({ caller, params, body, response }) =>
        withPostgres(async () => {
          const given = { kind, incident: params.id, ends_at: body.until, comment: body.comment };
          return said(await sayOfIncident(db, caller.tenant, given, audit.by(response)));
        }),
    });
  return [
    endpoint({
      ...{ ...read, method: "get", path: "/alerts/incidents", summary: "Incidents, the newest first" },
      query: pageQuery.extend({ rule: z.string().max(64).optional(), open: z.enum(["true", "false"]).optional() }),
      success: { status: 200, body: z.object({ incidents: z.array(incidentShape), next: z.string().nullable() }) },
      handle: ({ caller, query }) =>
        withPostgres(async () => {
          const rows = await db
            .selectFrom("alert_incidents")
            .selectAll()
            .where("tenant", "=", caller.tenant)
            .$if(query.rule !== undefined, (from) => from.where("rule", "=", query.rule ?? ""))
            .$if(query.open !== undefined, (from) => from.where("closed", "=", query.open === "false"))
            .where(before(query.cursor))
            .orderBy("created_at", "desc")
            .orderBy("id", "desc")
            .limit(query.limit + 1)
            .execute();
          const { page, next } = pageOf(rows, query.limit);
          return { incidents: page.map(view), next };
        }),
    }),
    endpoint({
      ...{
        ...read,
        method: "get",
        path: "/alerts/incidents/:id",
        summary: "One incident with its history and evidence",
      },
      success: {
        status: 200,
        body: incidentShape.extend({ changes: z.array(record), said: z.array(namedShape) }),
      },
      handle: ({ caller, params }) =>
        withPostgres(async () => {
          const row = await find(caller.tenant, params.id);
          const changes = await db
            .selectFrom("alert_changes")
            .select("body")
            .where("tenant", "=", caller.tenant)
            .where("incident", "=", row.id)
            .orderBy("at")
            .orderBy("id")
            .limit(1_000)
            .execute();
          const actions = await db
            .selectFrom("alert_actions")
            .selectAll()
            .where("tenant", "=", caller.tenant)
            .where("incident", "=", row.id)
            .orderBy("created_at")
            .execute();
          return {
            ...view(row),
            changes: changes.map(({ body }) => body),
            said: (await withNames(db, actions)).map(said),
          };
        }),
    }),
    speak("acknowledge", "acknowledgement", "Say that somebody is at it: no reminders, no further steps"),
    speak("snooze", "snooze", "Tell nobody for a while"),
    speak("resolve", "resolution", "Say that it is over"),
    endpoint({
      ...{ ...read, method: "get", path: "/alerts/silences", summary: "Silences and maintenance windows" },
      query: pageQuery,
      success: { status: 200, body: z.object({ silences: z.array(namedShape), next: z.string().nullable() }) },
      handle: ({ caller, query }) =>
        withPostgres(async () => {
          const { page, next } = await listSilences(db, caller.tenant, query);
          return { silences: (await withNames(db, page)).map(said), next };
        }),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/alerts/silences", summary: "Silence what matches" },
      body: newSilence,
      success: { status: 201, body: saidShape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => said(await addSilence(db, caller.tenant, body, audit.by(response)))),
    }),
    endpoint({
      ...{ ...write, method: "delete", path: "/alerts/silences/:id", summary: "End a silence" },
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => endSilence(db, caller.tenant, params.id, audit.by(response))),
    }),
  ];
};
