/**
 * Tenants' own ClickHouse servers as places to search. Connections come from control.clickhouse, so a search needs no Postgres.
 * The statements are those for Astralog's own table, with the tenant's condition in them; the server has no other rows of ours.
 */
import {
  type ControlTable,
  createRemoteClickHouse,
  Fault,
  remoteSettings,
  remoteTrouble,
  type Storage,
} from "@astralog/chassis";
import type { StorageConnectionRecord } from "@astralog/schemas";
import type { OwnClickHouse } from "@astralog/schemas/own-clickhouse";
import type { Admission } from "../search/admission.ts";
import { type Answer, asFault, type RunOptions } from "../search/clickhouse-query.ts";
import type { Sql } from "../search/scope.ts";

export interface OwnServers {
  find(tenant: string, id: string): OwnClickHouse | undefined;
  all(tenant: string): OwnClickHouse[];
  /** Where a tenant's events are kept instead of Astralog's own storage. */
  home(tenant: string): OwnClickHouse | undefined;
  /** `sql` may name tenant_events and tenant_batches. Faults: `query_too_expensive`, `busy`, `storage_failed`, `storage_refused`. */
  ask<Row>(connection: OwnClickHouse, sql: Sql, options: RunOptions): Promise<Answer<Row>>;
}

/** Of one answer; a search's hundred rows are far below. */
const mostBytes = 32 * 2 ** 20;
/** Answers come this much later than the query may take. */
const slackMs = 5_000;

const ours = new Set(["query_too_expensive", "busy", "caller_gone"]);

export const createOwnServers = (deps: {
  readonly table: Pick<ControlTable<StorageConnectionRecord>, "get" | "values">;
  readonly storage: Pick<Storage, "outgoing" | "passwordOf">;
  /** Its own: a server that does not answer must not take places from searches elsewhere. */
  readonly admission: Admission;
  readonly maxRows: number;
}): OwnServers => {
  const read = (record: StorageConnectionRecord): OwnClickHouse => JSON.parse(record.definition) as OwnClickHouse;
  const all = (tenant: string): OwnClickHouse[] =>
    [...deps.table.values()].filter((record) => record.tenant === tenant).map(read);
  return {
    find: (tenant, id) => {
      const record = deps.table.get(`${tenant}/${id}`);
      return record === undefined ? undefined : read(record);
    },
    all,
    home: (tenant) => all(tenant).find(({ mode }) => mode === "instead"),
    ask: async <Row>(connection: OwnClickHouse, sql: Sql, options: RunOptions) => {
      const leave = await deps.admission.enter(connection.tenant, options.signal);
      const { maxRows = deps.maxRows } = options;
      try {
        const password = deps.storage.passwordOf(connection);
        const server = createRemoteClickHouse(
          deps.storage.outgoing,
          { ...connection, password },
          remoteSettings(connection),
        );
        const { text } = await server.ask({
          query: sql.query
            .replaceAll("tenant_events", "events")
            .replaceAll("tenant_batches", "(SELECT *, minute FROM batches FINAL) AS tenant_batches"),
          params: sql.params,
          signal: options.signal,
          ...{ mostBytes, timeoutMs: options.seconds * 1_000 + slackMs },
          settings: {
            ...{ default_format: "JSONCompact", readonly: 2, max_execution_time: options.seconds },
            ...{ max_rows_to_read: maxRows, max_result_bytes: mostBytes, max_result_rows: 100_000 },
          },
        });
        const answer = JSON.parse(text) as {
          data: Row[];
          statistics?: { elapsed: number; rows_read: number; bytes_read: number };
        };
        const { elapsed = 0, rows_read: rows = 0, bytes_read: bytes = 0 } = answer.statistics ?? {};
        return { rows: answer.data, stats: { rows, bytes, ms: Math.round(elapsed * 1_000) } };
      } catch (error) {
        const fault = asFault(error, { ...options, maxRows });
        if (fault instanceof Fault && ours.has(fault.code)) throw fault;
        const { code, detail } = remoteTrouble(error);
        const down = code === "address_failed" || code === "server_failed";
        throw new Fault(
          down ? "storage_failed" : "storage_refused",
          `Your ClickHouse "${connection.name}" cannot be searched: ${detail}${down ? " What is received meanwhile waits in Kafka." : ""}`,
          { retriable: down, cause: error },
        );
      } finally {
        leave();
      }
    },
  };
};
