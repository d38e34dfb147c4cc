/**
 * Saved views and dashboards. Who makes one owns it; nobody else knows of it until he shares it with the organization.
 * What is shared may be changed by everybody who may write views; only its owner takes it back or deletes it, so nobody
 * loses his own to another.
 */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { ViewTable } from "@astralog/schemas/postgres";
import { type Selectable, sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { after, pageOf } from "../http/paging.ts";
import type { Db, Trx } from "../postgres.ts";

export type ViewRow = Selectable<ViewTable>;
export type ViewKind = ViewTable["kind"];

/** Whose eyes: of which organization, and who in it. */
export interface Viewer {
  readonly tenant: string;
  readonly actor: { readonly id: string; readonly name: string };
}

export interface NewView {
  readonly name: string;
  readonly shared: boolean;
  readonly content: unknown;
}

/** Of one kind, in one organization. */
const maxViews = 1_000;
const prefixes = { view: "vw", dashboard: "db" } as const satisfies Record<ViewKind, string>;
const nouns = { view: "saved view", dashboard: "dashboard" } as const satisfies Record<ViewKind, string>;

const visible = ({ actor }: Viewer) => sql<boolean>`(shared or owner = ${actor.id})`;

export const listViews = async (
  db: Db,
  kind: ViewKind,
  viewer: Viewer,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<{ page: ViewRow[]; next: string | null }> => {
  const rows = await db
    .selectFrom("views")
    .selectAll()
    .where("tenant", "=", viewer.tenant)
    .where("kind", "=", kind)
    .where(visible(viewer))
    .where(after(cursor))
    .orderBy("created_at")
    .orderBy("id")
    .limit(limit + 1)
    .execute();
  return pageOf(rows, limit);
};

/** Faults: `not_found`. */
export const findView = async (
  db: Db | Trx,
  kind: ViewKind,
  viewer: Viewer,
  id: string,
  locked = false,
): Promise<ViewRow> => {
  const row = await db
    .selectFrom("views")
    .selectAll()
    .where("tenant", "=", viewer.tenant)
    .where("kind", "=", kind)
    .where("id", "=", id)
    .where(visible(viewer))
    .$if(locked, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", `There is no such ${nouns[kind]}, or it is not shared.`);
  return row;
};

export const createView = (db: Db, kind: ViewKind, viewer: Viewer, given: NewView, by: By): Promise<ViewRow> =>
  db.transaction().execute(async (trx) => {
    const { tenant, actor } = viewer;
    const { count } = await trx
      .selectFrom("views")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .where("tenant", "=", tenant)
      .where("kind", "=", kind)
      .executeTakeFirstOrThrow();
    if (Number(count) >= maxViews)
      throw new Fault("too_many", `An organization may have ${maxViews} ${nouns[kind]}s; delete one first.`);
    const row = await trx
      .insertInto("views")
      .values({
        ...{ id: `${prefixes[kind]}_${randomBase62(12)}`, tenant, kind, owner: actor.id, owner_name: actor.name },
        ...{ name: given.name, shared: given.shared, content: JSON.stringify(given.content) },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await told(trx, by, row, "created", { name: row.name, shared: row.shared });
    return row;
  });

export interface ViewChanges {
  readonly name?: string | undefined;
  readonly shared?: boolean | undefined;
  readonly content?: unknown;
}

/** `unchanged` is held against what is stored. Faults: `not_found`, `forbidden`, and those of `unchanged`. */
export const updateView = (
  db: Db,
  kind: ViewKind,
  viewer: Viewer,
  id: string,
  changes: ViewChanges,
  unchanged: (row: ViewRow) => void,
  by: By,
): Promise<ViewRow> =>
  db.transaction().execute(async (trx) => {
    const before = await findView(trx, kind, viewer, id, true);
    unchanged(before);
    if (changes.shared === false && before.shared) ownedBy(viewer, before, "take it back");
    const row = await trx
      .updateTable("views")
      .set({
        updated_at: new Date(),
        ...(changes.name === undefined ? {} : { name: changes.name }),
        ...(changes.shared === undefined ? {} : { shared: changes.shared }),
        ...(changes.content === undefined ? {} : { content: JSON.stringify(changes.content) }),
      })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await told(trx, by, row, "changed", { fields: Object.keys(changes), name: row.name, shared: row.shared });
    return row;
  });

/** Faults: `not_found`, `forbidden`, and those of `unchanged`. */
export const deleteView = (
  db: Db,
  kind: ViewKind,
  viewer: Viewer,
  id: string,
  unchanged: (row: ViewRow) => void,
  by: By,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const row = await findView(trx, kind, viewer, id, true);
    unchanged(row);
    ownedBy(viewer, row, "delete it");
    await trx.deleteFrom("views").where("id", "=", id).execute();
    await told(trx, by, row, "deleted", { name: row.name });
  });

const ownedBy = ({ actor }: Viewer, row: ViewRow, act: string): void => {
  if (row.owner === actor.id) return;
  throw new Fault("forbidden", `It belongs to ${row.owner_name || row.owner}, who alone may ${act}.`);
};

const told = (
  trx: Trx,
  by: By,
  { id, tenant, kind }: ViewRow,
  act: "created" | "changed" | "deleted",
  details: { name: string; shared?: boolean; fields?: string[] },
) => recordAct(trx, by, { tenant, action: `${kind}.${act}`, target: { kind, id }, details });
