/** The tables of tenants' own buckets and servers. */
import type { ColumnType, Generated } from "kysely";

/** What is known of a key without knowing the key. */
export interface ClientKey {
  /** Follows from the key: every object that was encrypted under it names it. */
  readonly id: string;
  /** By its owner; else it was made here, and shown once. */
  readonly given: boolean;
  /** RFC 3339. */
  readonly created_at: string;
}

export interface StorageConnectionTable {
  /** sto_ with random base62 behind. */
  id: string;
  tenant: string;
  name: string;
  kind: string;
  endpoint: string;
  region: string;
  bucket: string;
  prefix: string;
  encryption: string;
  kms_key: string;
  access_key_id: string;
  /** Sealed for the tenant; never read by anybody but for control.storage. */
  secret_access_key: string;
  /** Empty: the keys open it. Else they are empty, and the installation's own identity takes this role. */
  role_arn: Generated<string>;
  /** Base64 keys as JSON, the present one first, sealed for the tenant; empty: objects go as they are. */
  client_keys: Generated<string>;
  /** In the same order. */
  client_key_ids: ColumnType<readonly ClientKey[], string | undefined, string>;
  archive: boolean;
  /** Null: as long as its owner leaves what is there. */
  retention_days: number | null;
  version: Generated<number>;
  /** What the last probe found lacking; empty when nothing. */
  problem: Generated<string>;
  probed_at: ColumnType<Date, never, Date>;
  created_at: ColumnType<Date, never, never>;
  updated_at: ColumnType<Date, never, Date>;
}

export interface ClickHouseConnectionTable {
  /** sto_ with random base62 behind. */
  id: string;
  tenant: string;
  name: string;
  url: string;
  username: string;
  /** Sealed for the tenant; never read by anybody but for control.clickhouse. */
  password: string;
  database: string;
  /** Empty: one server. */
  cluster: string;
  mode: string;
  /** As the server said when it was probed last. */
  server_version: string;
  version: Generated<number>;
  /** What the last probe found lacking; empty when nothing. */
  problem: Generated<string>;
  probed_at: ColumnType<Date, never, Date>;
  created_at: ColumnType<Date, never, never>;
  updated_at: ColumnType<Date, never, Date>;
}

export interface StorageTables {
  clickhouse_connections: ClickHouseConnectionTable;
  storage_connections: StorageConnectionTable;
}
