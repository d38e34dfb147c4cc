/** Tenants' own buckets as they stand in Postgres. */
import { Fault } from "@astralog/chassis";
import type { StorageConnectionRecord } from "@astralog/schemas";
import type { StorageConnectionTable } from "@astralog/schemas/postgres";
import type { ServerEncryption, StorageConnection, StorageKind, StorageSettings } from "@astralog/schemas/storage";
import type { Selectable } from "kysely";
import type { Db, Trx } from "../postgres.ts";

export type ConnectionRow = Selectable<StorageConnectionTable>;

export const settingsOf = (row: ConnectionRow): StorageSettings => ({
  ...{ kind: row.kind as StorageKind, endpoint: row.endpoint, region: row.region, bucket: row.bucket },
  ...{ prefix: row.prefix, encryption: row.encryption as ServerEncryption, kms_key: row.kms_key },
  role_arn: row.role_arn,
});

/** Before they leave us. */
export const isEncrypted = ({ client_keys }: Pick<ConnectionRow, "client_keys">): boolean => client_keys !== "";

/** `locked`: until the transaction is over. Faults: `not_found`. */
export const find = async (db: Db | Trx, tenant: string, id: string, locked = false): Promise<ConnectionRow> => {
  const row = await db
    .selectFrom("storage_connections")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .$if(locked, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such storage connection.");
  return row;
};

/**
 * A record as far as it can be compared: what it seals differs each time it is sealed, and each change has a version. What
 * cannot be read differs from everything.
 */
export const asVersion = ({ tenant, connection, definition }: StorageConnectionRecord): StorageConnectionRecord => {
  try {
    return { tenant, connection, definition: String((JSON.parse(definition) as StorageConnection).version) };
  } catch {
    return { tenant, connection, definition: "" };
  }
};
