/** What the domain needs of Postgres: a transaction, and rows that may not be there. */
import { Fault } from "@astralog/chassis";
import type { Database } from "@astralog/schemas/postgres";
import type { Kysely, Transaction } from "kysely";

export type Db = Kysely<Database>;
export type Trx = Transaction<Database>;

/** Postgres' code of a unique constraint that a row would break. */
const uniqueViolation = "23505";

export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === uniqueViolation;

/** Runs what gives something a name of its own. Faults: `name_taken`. */
export const named = async <T>(what: string, name: string | undefined, change: () => Promise<T>): Promise<T> => {
  try {
    return await change();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault("name_taken", `A ${what} named ${JSON.stringify(name)} exists already.`);
  }
};

/** Until the transaction ends, others who lock the same organization wait: what is counted stays so. Undefined where there is none. */
export const lockTenant = (trx: Trx, tenant: string): Promise<{ id: string } | undefined> =>
  trx.selectFrom("tenants").select("id").where("id", "=", tenant).forUpdate().executeTakeFirst();

/** SQLSTATE classes of a server that cannot serve: connection, resources, operator. */
const unavailable = /^(08|53|57)/;

/** Runs what needs Postgres. Faults: `postgres_unavailable` when it cannot be reached; others pass as they are. */
export const withPostgres = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault || !(error instanceof Error) || (error.name !== "Error" && error.name !== "error"))
      throw error;
    // What the server says carries a severity; anything else is the way to it.
    const { severity, code } = error as { severity?: unknown; code?: unknown };
    if (severity !== undefined && !unavailable.test(String(code))) throw error;
    throw new Fault("postgres_unavailable", "Changes cannot be made now; ingest and search go on.", {
      retriable: true,
      cause: error,
    });
  }
};
