/** Where events are asked for: Astralog's own table, or a bucket that they are archived in. The language is the same. */
import type { Answer, ClickHouseQueries, RunOptions } from "./clickhouse-query.ts";
import type { Owner, Sql, Window } from "./scope.ts";

export interface Store {
  /** `sql` names `tenant_events`, and asks for nothing outside of the window. Faults: those of queries and of buckets. */
  ask<Row>(window: Window, sql: Sql, options: RunOptions): Promise<Answer<Row>>;
  /**
   * What `sql` counts, in as many rows as the store gives: the caller adds them. It goes where `ask` cannot, through objects
   * that are encrypted. Same Faults, and `storage_unreadable`.
   */
  count<Row>(window: Window, sql: Sql, options: RunOptions): Promise<Answer<Row>>;
  /** Whether an index finds words and values, so that a search for them need not go through time piece by piece. */
  readonly indexed: boolean;
}

export interface SearchPlace {
  readonly id: string;
  readonly name: string;
  readonly kind: "bucket" | "clickhouse" | "astralog";
  /** Searches without a place go there. */
  readonly home: boolean;
  /** Not where objects are encrypted before they leave us: days of it are brought back first. */
  readonly searchable: boolean;
}

export interface Stores {
  /** `place`: the id of a storage connection; left out: where the tenant has its events kept; `astralog`: Astralog's own. Faults: `not_found`, `address_refused`, those of Postgres. */
  open(owner: Owner, place: string | undefined): Promise<Store>;
  /** The connections that may be searched. */
  places(tenant: string): Promise<SearchPlace[]>;
}

export const createOwnStore = (queries: ClickHouseQueries, { tenant }: Owner): Store => ({
  indexed: true,
  ask: (_, sql, options) => queries.forTenant(tenant, sql, options),
  count: (_, sql, options) => queries.forTenant(tenant, sql, options),
});

/** Of Astralog's own storage, whatever is kept elsewhere. */
export const astralogPlace = "astralog";

export const createAstralogStore = (queries: ClickHouseQueries, { tenant }: Owner): Store => ({
  indexed: true,
  ask: (_, sql, options) => queries.forTenant(tenant, sql, { ...options, here: true }),
  count: (_, sql, options) => queries.forTenant(tenant, sql, { ...options, here: true }),
});
