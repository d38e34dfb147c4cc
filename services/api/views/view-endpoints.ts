/** Saved views, dashboards and annotations over HTTP. A link to one is its address: it opens for members it is shared with. */
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { pageQuery } from "../http/paging.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { readInstant } from "../search/request.ts";
import { type AnnotationRow, createAnnotation, deleteAnnotation, listAnnotations } from "./annotations.ts";
import { annotationQuery, annotationShape, dashboardShapes, newAnnotation, viewShapes } from "./view-shapes.ts";
import {
  createView,
  deleteView,
  findView,
  listViews,
  updateView,
  type Viewer,
  type ViewKind,
  type ViewRow,
} from "./views.ts";

export interface ViewEndpointsDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by">;
}

export const createViewEndpoints = (deps: ViewEndpointsDeps): Endpoint[] => [
  ...ofKind(deps, "view", "views", viewShapes),
  ...ofKind(deps, "dashboard", "dashboards", dashboardShapes),
  ...ofAnnotations(deps),
];

const shown = ({ id, name, shared, content, owner, owner_name, ...row }: ViewRow, { actor }: Viewer) => ({
  ...{ id, name, shared, content, mine: owner === actor.id, owner: { id: owner, name: owner_name } },
  ...{ created_at: row.created_at, updated_at: row.updated_at },
});

const ofKind = (
  { db, audit }: ViewEndpointsDeps,
  kind: ViewKind,
  plural: "views" | "dashboards",
  shapes: typeof viewShapes | typeof dashboardShapes,
): Endpoint[] => {
  const tag = plural;
  const noun = kind === "view" ? "saved view" : "dashboard";
  const one = { access: "events.read", tag, success: { status: 200, body: shapes.shape } } as const;
  const write = { ...one, access: "views.write" } as const;
  const held = (viewer: Viewer, unchanged: (shown: unknown) => void) => (row: ViewRow) => unchanged(shown(row, viewer));
  return [
    endpoint({
      ...{ ...one, method: "get", path: `/${plural}`, summary: `Your ${noun}s and those that are shared` },
      query: pageQuery,
      success: { status: 200, body: shapes.list },
      handle: ({ caller, query }) =>
        withPostgres(async () => {
          const { page, next } = await listViews(db, kind, caller, query);
          return { [plural]: page.map((row) => shown(row, caller)), next };
        }),
    }),
    endpoint({
      ...{ ...one, method: "get", path: `/${plural}/:id`, summary: `One ${noun}`, etag: true },
      handle: ({ caller, params }) =>
        withPostgres(async () => shown(await findView(db, kind, caller, params.id), caller)),
    }),
    endpoint({
      ...{ ...write, method: "post", path: `/${plural}`, summary: `Make a ${noun}`, etag: true },
      body: shapes.created as z.ZodType<{ name: string; shared: boolean; content: unknown }>,
      success: { status: 201, body: shapes.shape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => shown(await createView(db, kind, caller, body, audit.by(response)), caller)),
    }),
    endpoint({
      ...{ ...write, method: "patch", path: `/${plural}/:id`, summary: `Change a ${noun}`, etag: true },
      body: shapes.changed as z.ZodType<{ name?: string; shared?: boolean; content?: unknown }>,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(async () => {
          const by = audit.by(response);
          return shown(await updateView(db, kind, caller, params.id, body, held(caller, unchanged), by), caller);
        }),
    }),
    endpoint({
      ...{ ...write, method: "delete", path: `/${plural}/:id`, summary: `Delete a ${noun} of your own` },
      success: { status: 204 },
      handle: ({ caller, params, unchanged, response }) =>
        withPostgres(() => deleteView(db, kind, caller, params.id, held(caller, unchanged), audit.by(response))),
    }),
  ];
};

const annotationView = ({ tenant: _, ...row }: AnnotationRow) => row;
const week = 7 * 86_400_000;

const ofAnnotations = ({ db, audit }: ViewEndpointsDeps): Endpoint[] => {
  const tag = "annotations";
  const date = (name: "from" | "to", text: string | undefined, now: number, otherwise: number): Date =>
    new Date(Number((readInstant(name, text, now) ?? BigInt(otherwise) * 1_000_000n) / 1_000_000n));
  return [
    endpoint({
      ...{ method: "get", path: "/annotations", access: "events.read", tag, summary: "Marks within a stretch of time" },
      query: annotationQuery,
      success: { status: 200, body: z.object({ annotations: z.array(annotationShape) }) },
      handle: ({ caller, query }) => {
        const now = Date.now();
        const [from, to] = [date("from", query.from, now, now - week), date("to", query.to, now, now + 1)];
        return withPostgres(async () => ({
          annotations: (await listAnnotations(db, caller.tenant, from, to)).map(annotationView),
        }));
      },
    }),
    endpoint({
      ...{
        method: "post",
        path: "/annotations",
        access: "annotations.write",
        tag,
        summary: "Mark a deploy, alert or note",
      },
      body: newAnnotation,
      success: { status: 201, body: annotationShape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => annotationView(await createAnnotation(db, caller.tenant, body, audit.by(response)))),
    }),
    endpoint({
      ...{ method: "delete", path: "/annotations/:id", access: "annotations.write", tag, summary: "Take a mark away" },
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => deleteAnnotation(db, caller.tenant, params.id, audit.by(response))),
    }),
  ];
};
