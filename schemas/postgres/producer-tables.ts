/** The tables of 0006_native as kysely sees them. */
import type { ColumnType, Generated } from "kysely";

export interface ProducerTable {
  /** prd_… */
  id: string;
  tenant: string;
  source: string;
  name: Generated<string>;
  /** Its Kafka user. The password is stored nowhere. */
  username: string;
  created_at: ColumnType<Date, never, never>;
  expires_at: Date | null;
  revoked_at: Date | null;
  rotated_from: string | null;
  /** When Kafka had taken away rights and credentials of one that ended. */
  closed_at: ColumnType<Date | null, never, Date>;
}

export interface ProducerTables {
  producers: ProducerTable;
}
