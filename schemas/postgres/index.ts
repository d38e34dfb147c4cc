/** Postgres: the control plane's tables, how to connect, and the migrations that make them. */
import { Kysely, PostgresDialect } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import pg from "pg";
import * as control from "./0001_control.ts";
import * as audit from "./0002_audit.ts";
import * as organizations from "./0003_organizations.ts";
import * as people from "./0004_people.ts";
import * as sso from "./0005_sso.ts";
import * as native from "./0006_native.ts";
import * as plans from "./0007_plans.ts";
import * as views from "./0008_views.ts";
import * as alerts from "./0009_alerts.ts";
import * as access from "./0010_access.ts";
import * as storage from "./0011_storage.ts";
import * as retention from "./0012_retention.ts";
import * as storageDays from "./0013_storage_days.ts";
import * as rehydrations from "./0016_rehydrations.ts";
import * as takeouts from "./0017_takeouts.ts";
import * as ownClickHouse from "./0018_own_clickhouse.ts";
import * as clientEncryption from "./0019_client_encryption.ts";
import type { Database } from "./tables.ts";

export type * from "./alert-tables.ts";
export type * from "./retention-tables.ts";
export type * from "./storage-tables.ts";
export type * from "./tables.ts";
export type * from "./takeout-tables.ts";
export type * from "./views-tables.ts";

/** In order, for ever: a migration that has run anywhere is never changed. */
const migrations: Record<string, Migration> = {
  "0001_control": control,
  "0002_audit": audit,
  "0003_organizations": organizations,
  "0004_people": people,
  "0005_sso": sso,
  "0006_native": native,
  "0007_plans": plans,
  "0008_views": views,
  "0009_alerts": alerts,
  "0010_access": access,
  "0011_storage": storage,
  "0012_retention": retention,
  "0013_storage_days": storageDays,
  "0016_rehydrations": rehydrations,
  "0017_takeouts": takeouts,
  "0018_own_clickhouse": ownClickHouse,
  "0019_client_encryption": clientEncryption,
};

/** In order. */
export const migrationNames: readonly string[] = Object.keys(migrations);

// bigint columns here hold bytes and counts, far below 2^53.
const int8 = 20;
const types = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === int8 && format !== "binary"
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** A pool; `onError` hears of idle connections that broke (the pool replaces them). */
export const connectPostgres = (
  url: string,
  { max = 10, onError = () => {} }: { max?: number; onError?: (error: Error) => void } = {},
): Kysely<Database> => {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    types,
    connectionTimeoutMillis: 3_000,
    statement_timeout: 10_000,
    idle_in_transaction_session_timeout: 10_000,
    application_name: "astralog",
  });
  pool.on("error", onError);
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
};

/** One connection of its own, for LISTEN and advisory locks. */
export const connectSession = (url: string): pg.Client =>
  new pg.Client({ connectionString: url, types, connectionTimeoutMillis: 3_000, keepAlive: true });

/**
 * Brings the database up to this version, or to an earlier one's, which must not be below where it is; safe to run at any
 * time and from several places at once. Returns the names of the migrations that ran. Throws what Postgres said; the failed migration was rolled back.
 */
export const migrate = async (url: string, upTo?: string): Promise<string[]> => {
  const db = connectPostgres(url, { max: 2 });
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve(migrations) },
    });
    const { error, results = [] } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo));
    if (error !== undefined) throw error;
    return results.filter((result) => result.status === "Success").map((result) => result.migrationName);
  } finally {
    await db.destroy();
  }
};
