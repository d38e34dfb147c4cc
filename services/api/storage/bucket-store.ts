/**
 * A tenant's bucket as a place to search: ClickHouse reads the Parquet in place, exactly the objects that we list. Days and
 * sources in their names leave out what cannot have an answer, the objects' own statistics most of the rest.
 */
import { type ArchivedObject, createBucket, Fault, listArchive, type Outgoing } from "@astralog/chassis";
import { createBinder } from "@astralog/schemas/query/index";
import { archiveFolder, archiveTableSql } from "@astralog/schemas/storage";
import { withPostgres } from "../postgres.ts";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import { type Owner, type Window, windowSql } from "../search/scope.ts";
import {
  astralogPlace,
  createAstralogStore,
  createOwnStore,
  type SearchPlace,
  type Store,
  type Stores,
} from "../search/store.ts";
import type { Connections } from "./connections.ts";
import type { OwnServers } from "./own-servers.ts";

const dayNs = 86_400_000_000_000n;
/** A window of more days is listed whole. */
const mostDays = 62n;
/** What one query may open. */
const mostObjects = 10_000;
const listTimeoutMs = 10_000;

/** The days that a window's events may lie under; undefined: any. `to` is not in the window. */
export const daysOf = ({ from, to }: Window, now: number): string[] | undefined => {
  if (from === undefined || from < 0n) return undefined;
  // What is dated further ahead lies under `other`.
  const end = to ?? BigInt(now) * 1_000_000n + 3n * dayNs;
  const [first, last] = [from / dayNs, (end > from ? end - 1n : from) / dayNs];
  if (last - first >= mostDays) return undefined;
  return Array.from({ length: Number(last - first) + 1 }, (_, i) =>
    new Date((Number(first) + i) * 86_400_000).toISOString().slice(0, 10),
  );
};

/** Told of a bucket by its name, for there may be several. */
const named = (name: string, error: unknown): unknown => {
  if (!(error instanceof Fault)) return error;
  if (error.code === "too_many_objects")
    return new Fault(
      "query_too_expensive",
      `It would open more than ${mostObjects.toLocaleString("en")} objects of the bucket. Choose a shorter time range.`,
      { cause: error },
    );
  if (error.code !== "storage_failed" && error.code !== "storage_refused") return error;
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

  const bucketStore = async ({ tenant, sources }: Owner, id: string): Promise<Store> => {
    const { row, opened } = await withPostgres(async () => {
      const found = await deps.connections.find(tenant, id);
      return { row: found, opened: await deps.connections.access(found) };
    });
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
    return { ask, indexed: false };
  };

  return {
    places: async (tenant) => [
      ...deps.servers
        .all(tenant)
        .map(({ id, name, mode }): SearchPlace => ({ id, name, kind: "clickhouse", home: mode === "instead" })),
      ...(await withPostgres(() => deps.connections.list(tenant))).map(
        ({ id, name }): SearchPlace => ({ id, name, kind: "bucket", home: false }),
      ),
      ...(deps.servers.home(tenant) === undefined
        ? []
        : [{ id: astralogPlace, name: "Astralog", kind: "astralog", home: false } as const]),
    ],
    open: (owner, place) => {
      if (place === undefined || place === "") return Promise.resolve(createOwnStore(deps.queries, owner));
      if (place === astralogPlace) return Promise.resolve(createAstralogStore(deps.queries, owner));
      const server = deps.servers.find(owner.tenant, place);
      if (server === undefined) return bucketStore(owner, place);
      return Promise.resolve({ indexed: true, ask: (_, sql, options) => deps.servers.ask(server, sql, options) });
    },
  };
};
