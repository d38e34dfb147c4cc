/** Imports in Postgres: of which takeout, which ids became which, and what was made of each file. */
import { Fault } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { TakeoutImportTable } from "@astralog/schemas/postgres";
import type { TakeoutManifest } from "@astralog/schemas/takeout";
import type { Selectable } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";

export type ImportRow = Selectable<TakeoutImportTable>;

/** Ids of the other Astralog to ours, by kind. */
export type ImportIds = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ImportNote {
  readonly file: string;
  readonly id: string;
  readonly name: string;
  /** secret: it is not made, for its secret did not come along. */
  readonly outcome: "imported" | "existing" | "invited" | "refused" | "secret" | "left";
  readonly detail: string;
}

/** What became of one file of events. */
export interface ImportedFile {
  readonly name: string;
  readonly accepted: number;
  /** Reason to events. */
  readonly refused: Readonly<Record<string, number>>;
}

export const idsOf = ({ ids }: Pick<ImportRow, "ids">): ImportIds => ids as ImportIds;
export const notesOf = ({ notes }: Pick<ImportRow, "notes">): readonly ImportNote[] => notes as ImportNote[];
export const manifestOf = ({ manifest }: Pick<ImportRow, "manifest">): TakeoutManifest => manifest as TakeoutManifest;

export const listImports = (db: Db, tenant: string): Promise<ImportRow[]> =>
  db
    .selectFrom("takeout_imports")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at", "desc")
    .limit(100)
    .execute();

/** Faults: `not_found`. */
export const findImport = async (db: Db | Trx, tenant: string, id: string): Promise<ImportRow> => {
  const row = await db
    .selectFrom("takeout_imports")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such import.");
  return row;
};

export const findImportOf = (db: Db, tenant: string, takeout: string): Promise<ImportRow | undefined> =>
  db
    .selectFrom("takeout_imports")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("takeout", "=", takeout)
    .executeTakeFirst();

/** Faults: `in_use` while another is under way. */
export const createImport = (db: Db, tenant: string, manifest: TakeoutManifest, by: By): Promise<ImportRow> =>
  db.transaction().execute(async (trx) => {
    await lockTenant(trx, tenant);
    const open = await trx
      .selectFrom("takeout_imports")
      .select("takeout")
      .where("tenant", "=", tenant)
      .where("finished_at", "is", null)
      .executeTakeFirst();
    if (open !== undefined) throw new Fault("in_use", `The import of ${open.takeout} is under way; finish it first.`);
    const row = await trx
      .insertInto("takeout_imports")
      .values({
        ...{ id: `imp_${randomBase62(12)}`, tenant, takeout: manifest.id, manifest: JSON.stringify(manifest) },
        ...{ requested_by: by.actor.id, created_at: new Date() },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordAct(trx, by, {
      ...{ tenant, action: "takeout.import_begun", target: { kind: "import", id: row.id } },
      details: {
        ...{ takeout: manifest.id, organization: manifest.organization.id, key_id: manifest.key_id },
        ...{ events: manifest.total.events, cut: manifest.cut },
      },
    });
    return row;
  });

/** What was made of one entry, so that none is made twice. */
export const saveNote = (
  db: Db,
  id: string,
  note: ImportNote,
  mapped?: { readonly kind: string; readonly to: string },
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const row = await trx
      .selectFrom("takeout_imports")
      .select(["ids", "notes"])
      .where("id", "=", id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const ids = idsOf(row);
    const others = notesOf(row).filter((one) => one.file !== note.file || one.id !== note.id);
    await trx
      .updateTable("takeout_imports")
      .set({
        notes: JSON.stringify([...others, note]),
        ...(mapped === undefined
          ? {}
          : { ids: JSON.stringify({ ...ids, [mapped.kind]: { ...ids[mapped.kind], [note.id]: mapped.to } }) }),
      })
      .where("id", "=", id)
      .execute();
  });

export const importedFiles = async (db: Db, id: string): Promise<ImportedFile[]> =>
  (await db
    .selectFrom("takeout_import_files")
    .select(["name", "accepted", "refused"])
    .where("import", "=", id)
    .orderBy("name")
    .execute()) as ImportedFile[];

export const saveImportedFile = async (
  db: Db,
  id: string,
  { name, accepted, refused }: ImportedFile,
): Promise<void> => {
  const values = { accepted, refused: JSON.stringify(refused) };
  await db
    .insertInto("takeout_import_files")
    .values({ import: id, name, ...values })
    .onConflict((conflict) => conflict.columns(["import", "name"]).doUpdateSet(values))
    .execute();
};

export const finishImport = (
  db: Db,
  row: ImportRow,
  result: { readonly [name: string]: unknown },
  details: Record<string, string | number | boolean>,
  by: By,
): Promise<void> =>
  db.transaction().execute(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable("takeout_imports")
      .set({ finished_at: new Date(), result: JSON.stringify(result) })
      .where("id", "=", row.id)
      .where("finished_at", "is", null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    await recordAct(trx, by, {
      ...{ tenant: row.tenant, action: "takeout.import_finished", target: { kind: "import", id: row.id } },
      details,
    });
  });
