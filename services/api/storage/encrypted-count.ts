/**
 * Counts in a bucket whose objects are encrypted: each is opened here and goes along with the statement, a few at a time, so it
 * takes as long as reading all of them. Of one organization one at a time, for what is opened is in memory.
 */
import { Fault, listArchive } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { sentTablesSql } from "@astralog/schemas/storage";
import { withPostgres } from "../postgres.ts";
import type { Answer, ClickHouseQueries, RunOptions } from "../search/clickhouse-query.ts";
import { type Owner, type Sql, type Window, windowSql } from "../search/scope.ts";
import { daysOf, mostObjects } from "./bucket-days.ts";
import type { ConnectionRow } from "./connection-rows.ts";
import type { Connections } from "./connections.ts";

/** Of Parquet that is sent with one statement. */
const mostBytes = 16 * 2 ** 20;
const mostNames = 100;
const getMs = 30_000;

export const createEncryptedCount = (deps: { connections: Connections; queries: ClickHouseQueries }) => {
  const counting = new Map<string, Promise<unknown>>();
  const inTurn = <T>(tenant: string, work: () => Promise<T>): Promise<T> => {
    const mine = (counting.get(tenant) ?? Promise.resolve()).then(work);
    const over = mine
      .catch(() => undefined)
      .then(() => {
        if (counting.get(tenant) === over) counting.delete(tenant);
      });
    counting.set(tenant, over);
    return mine;
  };

  return <Row>(
    { tenant, sources, row }: Owner & { readonly row: ConnectionRow },
    window: Window,
    sql: Sql,
    options: RunOptions,
  ): Promise<Answer<Row>> =>
    inTurn(tenant, async () => {
      const deadline = Date.now() + options.seconds * 1_000;
      const bucket = await withPostgres(() => deps.connections.open(row, getMs));
      const objects = await listArchive(bucket, { days: daysOf(window, Date.now()), sources, most: mostObjects });
      const rows: Row[] = [];
      const stats = { rows: 0, bytes: 0, ms: 0 };
      const ask = async (names: readonly string[], bodies: readonly Buffer[]): Promise<void> => {
        const { params, bind } = createBinder("a");
        const within = windowSql(window, bind);
        const naming = `${sql.query} ${within.join(" ")}`;
        const { sql: table, tables, columns } = sentTablesSql(names, bind, naming);
        const from = within.length === 0 ? table : `(SELECT * FROM ${table} WHERE ${within.join(" AND ")})`;
        const query = sql.query.replaceAll("tenant_events", () => from);
        const sent = tables.map((name, i) => ({ table: name, parquet: bodies[i] ?? Buffer.alloc(0) }));
        const answer = await deps.queries.forBucket<Row>(
          tenant,
          { query, params: { ...sql.params, ...params } },
          { ...options, sent: sent.length === 0 ? undefined : { tables: sent, columns } },
        );
        for (const one of answer.rows) rows.push(one);
        stats.rows += answer.stats.rows;
        stats.bytes += answer.stats.bytes;
        stats.ms += answer.stats.ms;
      };
      let names: string[] = [];
      let bodies: Buffer[] = [];
      let bytes = 0;
      for (const { name } of objects) {
        options.signal?.throwIfAborted();
        if (Date.now() > deadline)
          throw new Fault(
            "query_too_expensive",
            `Its objects are encrypted and must be opened one by one, which took longer than ${options.seconds} s. Choose a shorter time range.`,
          );
        const body = await bucket.get(name);
        if (body === undefined)
          throw new Fault("storage_failed", "The bucket is being changed; ask again in a moment.", { retriable: true });
        names.push(name);
        bodies.push(body);
        bytes += body.length;
        if (bytes < mostBytes && names.length < mostNames) continue;
        await ask(names, bodies);
        [names, bodies, bytes] = [[], [], 0];
      }
      if (names.length > 0 || rows.length === 0) await ask(names, bodies);
      return { rows, stats };
    });
};
