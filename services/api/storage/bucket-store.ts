/**
 * A tenant's bucket as a place to search: ClickHouse reads the Parquet in place, exactly the objects that we list. Days and
 * sources in their names leave out what cannot have an answer, the objects' own statistics most of the rest.
 */
import { type ArchivedObject, createBucket, Fault, listArchive, type Outgoing } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { archiveFolder, archiveTableSql } from "@astralog/schemas/storage";
import { withPostgres } from "../postgres.ts";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import { type Owner, windowSql } from "../search/scope.ts";
import {
  astralogPlace,
  createAstralogStore,
  createOwnStore,
  type SearchPlace,
  type Store,
  type Stores,
} from "../search/store.ts";
import { daysOf, mostObjects } from "./bucket-days.ts";
import { type ConnectionRow, isEncrypted } from "./connection-rows.ts";
import type { Connections } from "./connections.ts";
import { createEncryptedCount } from "./encrypted-count.ts";
import type { OwnServers } from "./own-servers.ts";

const listTimeoutMs = 10_000;

/** Told of a bucket by its name, for there may be several. */
const named = (name: string, error: unknown): unknown => {
  if (!(error instanceof Fault)) return error;
  if (error.code === "too_many_objects")
    return new Fault(
      "query_too_expensive",
      `It would open more than ${mostObjects.toLocaleString("en")} objects of the bucket. Choose a shorter time range.`,
      { cause: error },
    );
  if (!error.code.startsWith("storage_")) return error;
  const remedy = /AccessDenied|Forbidden/.test(error.message)
    ? " Allow s3:ListBucket and s3:GetObject for the prefix (docs/your-own-bucket.md), or give the connection other keys."
    : "";
  return new Fault(error.code, `The bucket "${name}" cannot be searched: ${error.message}${remedy}`, {
    retriable: error.retriable,
    cause: error,
  });
};

export const createStores = (deps: {
  connections: Connections;
  servers: OwnServers;
  queries: ClickHouseQueries;
  outgoing: Outgoing;
}): Stores => {
  const listing = new Map<string, Promise<ArchivedObject[]>>();

  /**
   * Of all sources, so that askers of different rights share it while it is under way: Explore asks for bars, values and
   * events at once. It is never kept longer, so a bucket that is away is met here, and not by ClickHouse.
   */
  const list = (id: string, days: string[] | undefined, ask: () => Promise<ArchivedObject[]>) => {
    const key = JSON.stringify([id, days]);
    const objects = listing.get(key) ?? ask().finally(() => listing.delete(key));
    listing.set(key, objects);
    return objects;
  };

  const encryptedCount = createEncryptedCount(deps);
  const encryptedStore = ({ tenant, sources }: Owner, row: ConnectionRow): Store => ({
    indexed: false,
    ask: () =>
      Promise.reject(
        new Fault(
          "bucket_encrypted",
          `The bucket "${row.name}" cannot be searched in place: its objects are encrypted before they leave Astralog, and ClickHouse cannot read them there. Bring the days that you want back: POST /api/v1/rehydrations, astralog rehydrations create, or the Data page.`,
        ),
      ),
    count: async (window, sql, options) => {
      try {
        return await encryptedCount({ tenant, sources, row }, window, sql, options);
      } catch (error) {
        throw named(row.name, error);
      }
    },
  });

  const bucketStore = async ({ tenant, sources }: Owner, id: string): Promise<Store> => {
    const { row, opened } = await withPostgres(async () => {
      const found = await deps.connections.find(tenant, id);
      return { row: found, opened: await deps.connections.access(found) };
    });
    if (isEncrypted(row)) return encryptedStore({ tenant, sources }, row);
    const { settings, keys } = opened;
    const bucket = createBucket({
      ...{ settings, keys, outgoing: deps.outgoing, folder: archiveFolder(row), timeoutMs: listTimeoutMs },
    });
    const ask: Store["ask"] = async (window, sql, options) => {
      const days = daysOf(window, Date.now());
      const version = `${row.id}/${row.version}`;
      const once = async () => {
        const all = await list(version, days, () => listArchive(bucket, { days, sources: "all", most: mostObjects }));
        const mine = sources === "all" ? all : all.filter(({ source }) => sources.has(source));
        // ClickHouse resolves the name again: it must not reach by it what ours may not.
        await deps.outgoing.judge(settings.endpoint);
        const { params, bind } = createBinder("a");
        const table = archiveTableSql(
          { ...settings, id: row.id },
          await keys(),
          mine.map(({ name }) => name),
          bind,
        );
        const within = windowSql(window, bind);
        const from = within.length === 0 ? table : `(SELECT * FROM ${table} WHERE ${within.join(" AND ")})`;
        const query = sql.query.replaceAll("tenant_events", () => from);
        return deps.queries.forBucket<never>(tenant, { query, params: { ...sql.params, ...params } }, options);
      };
      try {
        return await once();
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== "object_gone") throw named(row.name, error);
        // It was merged with others or removed since it was listed.
        return await once().catch((again: unknown) => {
          throw named(row.name, again);
        });
      }
    };
    return { ask, count: ask, indexed: false };
  };

  return {
    places: async (tenant) => [
      ...deps.servers.all(tenant).map(
        ({ id, name, mode }): SearchPlace => ({
          ...{ id, name, kind: "clickhouse", home: mode === "instead", searchable: true },
        }),
      ),
      ...(await withPostgres(() => deps.connections.list(tenant))).map(
        (row): SearchPlace => ({
          ...{ id: row.id, name: row.name, kind: "bucket", home: false, searchable: !isEncrypted(row) },
        }),
      ),
      ...(deps.servers.home(tenant) === undefined
        ? []
        : [{ id: astralogPlace, name: "Astralog", kind: "astralog", home: false, searchable: true } as const]),
    ],
    open: (owner, place) => {
      if (place === undefined || place === "") return Promise.resolve(createOwnStore(deps.queries, owner));
      if (place === astralogPlace) return Promise.resolve(createAstralogStore(deps.queries, owner));
      const server = deps.servers.find(owner.tenant, place);
      if (server === undefined) return bucketStore(owner, place);
      const ask: Store["ask"] = (_, sql, options) => deps.servers.ask(server, sql, options);
      return Promise.resolve({ indexed: true, ask, count: ask });
    },
  };
};
