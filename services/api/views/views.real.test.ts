/** Saved views, dashboards and annotations in a real Postgres: whose they are, who sees them, and two editors at once. */

import { makeDatabase } from "@astralog/local";
import { createAuditSigner } from "@astralog/schemas";
import { connectPostgres, migrate } from "@astralog/schemas/postgres";
import { sharedStack } from "@astralog/testbed";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { byOperator } from "../audit/audit-trail.ts";
import { ensureTenant } from "../control/tenants.ts";
import type { Db } from "../postgres.ts";
import { createAnnotation, deleteAnnotation, listAnnotations } from "./annotations.ts";
import { dashboardContent, viewContent } from "./view-shapes.ts";
import { createView, deleteView, findView, listViews, updateView, type Viewer } from "./views.ts";

let db: Db;
const by = byOperator(createAuditSigner(Buffer.alloc(32, 1)), "test");
let ann: Viewer;
let bo: Viewer;
let stranger: Viewer;
const same = () => {};

beforeAll(async () => {
  const url = await makeDatabase(sharedStack().postgres.url, `views_${process.pid}`);
  await migrate(url);
  db = connectPostgres(url);
  const tenant = (await ensureTenant(db, "ours", by)).id;
  ann = { tenant, actor: { id: "usr_ann", name: "Ann" } };
  bo = { tenant, actor: { id: "usr_bo", name: "Bo" } };
  stranger = { tenant: (await ensureTenant(db, "theirs", by)).id, actor: { id: "usr_ann", name: "Ann" } };
});
afterAll(() => db?.destroy());

const content = { page: "explore", state: { q: "level:error" } };
const names = async (viewer: Viewer) =>
  (await listViews(db, "view", viewer, { limit: 100 })).page.map(({ name }) => name);

test("what is not shared is its owner's alone; what is shared everybody changes and its owner deletes", async () => {
  const view = await createView(db, "view", ann, { name: "errors", shared: false, content }, by);
  expect(view).toMatchObject({ id: expect.stringMatching(/^vw_\w{12}$/), owner: "usr_ann", content });
  expect([await names(ann), await names(bo), await names(stranger)]).toEqual([["errors"], [], []]);
  for (const viewer of [bo, stranger]) {
    await expect(findView(db, "view", viewer, view.id)).rejects.toMatchObject({ code: "not_found" });
    await expect(updateView(db, "view", viewer, view.id, { name: "x" }, same, by)).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(deleteView(db, "view", viewer, view.id, same, by)).rejects.toMatchObject({ code: "not_found" });
  }
  await updateView(db, "view", ann, view.id, { shared: true }, same, by);
  expect(await names(bo)).toEqual(["errors"]);
  expect(await names(stranger)).toEqual([]);
  expect(await updateView(db, "view", bo, view.id, { name: "our errors" }, same, by)).toMatchObject({
    owner: "usr_ann",
  });
  await expect(updateView(db, "view", bo, view.id, { shared: false }, same, by)).rejects.toMatchObject({
    code: "forbidden",
  });
  await expect(deleteView(db, "view", bo, view.id, same, by)).rejects.toMatchObject({ code: "forbidden" });
  // A dashboard's address is no saved view's, and the other way round.
  await expect(findView(db, "dashboard", ann, view.id)).rejects.toMatchObject({ code: "not_found" });
  await deleteView(db, "view", ann, view.id, same, by);
  expect(await names(ann)).toEqual([]);
  const told = await db
    .selectFrom("audit_events")
    .select(["action", "target_id"])
    .where("target_id", "=", view.id)
    .execute();
  expect(told.map(({ action }) => action)).toEqual(["view.created", "view.changed", "view.changed", "view.deleted"]);
});

test("of two edits that saw the same, one loses", async () => {
  const { id } = await createView(db, "dashboard", ann, { name: "d", shared: true, content: {} }, by);
  const edit = (name: string) =>
    updateView(
      db,
      "dashboard",
      ann,
      id,
      { name },
      (row) => {
        if (row.name !== "d") throw new Error("changed");
      },
      by,
    );
  const results = await Promise.allSettled([edit("a"), edit("b")]);
  expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("annotations are found by the time they cover", async () => {
  const at = new Date("2026-01-01T10:00:00Z");
  const until = new Date("2026-01-01T12:00:00Z");
  const given = { kind: "deploy", title: "v1", service: "api", url: "", at, until } as const;
  const { id } = await createAnnotation(db, ann.tenant, given, by);
  const found = (from: string, to: string, tenant = ann.tenant) =>
    listAnnotations(db, tenant, new Date(from), new Date(to));
  expect(await found("2026-01-01T11:00:00Z", "2026-01-01T11:01:00Z")).toMatchObject([{ id, title: "v1" }]);
  expect(await found("2026-01-01T12:00:01Z", "2026-01-02T00:00:00Z")).toEqual([]);
  expect(await found("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", stranger.tenant)).toEqual([]);
  await expect(deleteAnnotation(db, stranger.tenant, id, by)).rejects.toMatchObject({ code: "not_found" });
  await deleteAnnotation(db, ann.tenant, id, by);
  expect(await found("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")).toEqual([]);
});

test("contents are refused by name when they are not what a page can read", () => {
  const panel = { id: "a", title: "A", kind: "line", q: "" };
  const board = { range: { from: "-1h", to: "" }, panels: [panel], variables: [] };
  expect(dashboardContent.parse(board).panels[0]).toEqual({ ...panel, field: "", width: 6, height: 2 });
  expect(dashboardContent.safeParse({ ...board, panels: [panel, panel] }).success).toBe(false);
  expect(dashboardContent.safeParse({ ...board, script: "x" }).success).toBe(false);
  expect(viewContent.safeParse({ page: "/evil", state: {} }).success).toBe(false);
  expect(viewContent.safeParse({ page: "explore", state: { "a&b": "1" } }).success).toBe(false);
});
