/** What the domain needs of Postgres: a transaction, and rows that may not be there. */
import type { Database } from "@astralog/schemas/postgres";
import type { Kysely, Transaction } from "kysely";

export type Db = Kysely<Database>;
export type Trx = Transaction<Database>;

/** Postgres' code of a unique constraint that a row would break. */
const uniqueViolation = "23505";

export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === uniqueViolation;
