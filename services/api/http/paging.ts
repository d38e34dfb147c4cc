/** Lists in pages, by (created_at, id), which is unique, so pages neither skip nor repeat. */
import { Fault } from "@astralog/chassis";
import type { Database } from "@astralog/schemas/postgres";
import { type RawBuilder, type Selectable, sql } from "kysely";
import { z } from "zod";
import type { Db } from "../postgres.ts";

export const pageQuery = z.strictObject({
  cursor: z.string().max(200).optional().describe("`next` of the page before."),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

interface Place {
  readonly created_at: Date;
  readonly id: string;
}

/** Postgres keeps microseconds, a cursor milliseconds: both sides are compared as the cursor has them. */
export const created = sql<Date>`date_trunc('milliseconds', created_at)`;

/** Undefined without a cursor. Faults: `invalid_cursor`. */
const placeOf = (cursor: string | undefined): Place | undefined => {
  if (cursor === undefined || cursor === "") return undefined;
  const plain = Buffer.from(cursor, "base64url").toString("utf8");
  const [, millis, id] = /^(\d{1,14}) (\w{1,64})$/.exec(plain) ?? [];
  if (millis === undefined || id === undefined) {
    throw new Fault("invalid_cursor", "Give back `next` of the page before, unchanged, or leave the cursor out.");
  }
  return { created_at: new Date(Number(millis)), id };
};

/** The condition on rows of the page that `cursor` begins. Faults: `invalid_cursor`. */
export const after = (cursor: string | undefined): RawBuilder<boolean> => {
  const place = placeOf(cursor);
  return place === undefined ? sql<boolean>`true` : sql`(${created}, id) > (${place.created_at}, ${place.id})`;
};

/** The same of a list that has its newest first, and whole milliseconds alone. Faults: `invalid_cursor`. */
export const before = (cursor: string | undefined): RawBuilder<boolean> => {
  const place = placeOf(cursor);
  return place === undefined ? sql<boolean>`true` : sql`(created_at, id) < (${place.created_at}, ${place.id})`;
};

/** How a tenant's rows of that table are listed: a page of them, or the first thousand. */
export const listOf =
  <T extends "sources" | "keys" | "producers">(table: T) =>
  (
    db: Db,
    tenant: string,
    { cursor, limit = 1_000 }: { cursor?: string | undefined; limit?: number } = {},
  ): Promise<Selectable<Database[T]>[]> =>
    db
      // Of a union kysely cannot say which columns there are; what is used here all of them have.
      .selectFrom(table as "sources")
      .selectAll()
      .where("tenant", "=", tenant)
      .where(after(cursor))
      .orderBy(created)
      .orderBy("id")
      .limit(limit)
      .execute() as unknown as Promise<Selectable<Database[T]>[]>;

/** From one row more than the page may have. */
export const pageOf = <Row extends Place>(
  rows: readonly Row[],
  limit: number,
): { page: Row[]; next: string | null } => {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    page,
    next: more ? Buffer.from(`${last.created_at.getTime()} ${last.id}`).toString("base64url") : null,
  };
};
