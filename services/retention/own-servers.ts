/**
 * Tenants' own ClickHouse servers: the same looks and the same removals as in Astralog's own tables, for the tables there are
 * the same. What a deletion removed there is written down here, too, for its certificate. One server that is away keeps no
 * other from its turn, and is left alone for a while.
 */
import { createRemoteClickHouse, type Log, remoteSettings, remoteTrouble, type Storage } from "@astralog/chassis";
import type { OwnClickHouse } from "@astralog/schemas/own-clickhouse";
import type { Deletion } from "@astralog/schemas/retention/index";
import type { ClickHouse } from "./clickhouse.ts";
import { createDeadLettersPlace } from "./clickhouse-dead-letters.ts";
import { createEventsPlace } from "./clickhouse-events.ts";
import type { RetentionMetrics } from "./metrics.ts";
import { addTo, ownRemoval, type Place, total } from "./places.ts";
import { createRemovals, type Removals } from "./removals.ts";

/** To rewrite a day's partition may take long; what takes longer goes on in the server, and is looked at again. */
const timeoutMs = 300_000;
/** Until a server that failed is asked again: others wait meanwhile for their turn. */
const restMs = 60_000;
/** ClickHouse takes no parameter above 128 KiB. */
const mostParameter = 80_000;
const indexesAtOnce = 5_000;

/** One record of which some events are gone. */
type RemovedRow = [source: string, topic: string, partition: number, offset: string, at: string, indexes: number[]];

/** Nothing is brought back from a bucket into them. */
const none = { kindOf: () => undefined, again: () => undefined };

interface Opened {
  readonly version: string;
  readonly connection: OwnClickHouse;
  readonly server: Pick<ClickHouse, "rows" | "command">;
  /** Events, then dead letters. */
  readonly places: readonly Place[];
  /** What it said when it was asked last and could not, and until when it rests. */
  failed?: { readonly problem: string; readonly until: number } | undefined;
}

/** Rows in pieces that fit a parameter each; of one record there may be several, for its indexes are a set. */
export const inPieces = (rows: readonly RemovedRow[], most = mostParameter): string[] => {
  const pieces: string[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const [source, topic, partition, offset, at, indexes] of rows)
    for (let from = 0; from < indexes.length; from += indexesAtOnce) {
      const some = indexes.slice(from, from + indexesAtOnce);
      const text = JSON.stringify([source, topic, partition, offset, at, some]);
      if (size + text.length > most) {
        pieces.push([]);
        size = 0;
      }
      pieces.at(-1)?.push(text);
      size += text.length + 1;
    }
  return pieces.map((piece) => `[${piece.join(",")}]`);
};

export const createOwnServersPlace = (deps: {
  /** Astralog's own. */
  clickhouse: Pick<ClickHouse, "command">;
  servers(): Iterable<OwnClickHouse>;
  storage: Storage;
  removals: Removals;
  metrics: RetentionMetrics;
  log: Log;
  settleSeconds: number;
}): Place => {
  const { storage, metrics, log, settleSeconds } = deps;
  const open = new Map<string, Opened>();

  const openOne = (connection: OwnClickHouse): Opened => {
    const version = `${connection.version} ${connection.sealed}`;
    const known = open.get(connection.id);
    if (known?.version === version) return known;
    const remote = createRemoteClickHouse(
      storage.outgoing,
      { ...connection, password: storage.passwordOf(connection) },
      { ...remoteSettings(connection), output_format_json_quote_64bit_integers: 0, mutations_sync: 1 },
    );
    const server = {
      rows: async <T>(query: string, params: Record<string, unknown> = {}): Promise<T[]> => {
        const { text } = await remote.ask({ query, params, timeoutMs });
        return text
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as T);
      },
      command: async (query: string, params: Record<string, unknown> = {}): Promise<void> =>
        void (await remote.ask({ query, params, timeoutMs })),
    };
    const shared = { clickhouse: server, removals: createRemovals(server), settleSeconds };
    const opened: Opened = {
      ...{ version, connection, server },
      places: [createEventsPlace({ ...shared, metrics, log, rehydrations: none }), createDeadLettersPlace(shared)],
    };
    open.set(connection.id, opened);
    return opened;
  };

  const all = (): Opened[] => {
    const connections = [...deps.servers()];
    const ids = new Set(connections.map(({ id }) => id));
    for (const id of open.keys()) if (!ids.has(id)) open.delete(id);
    return connections.map(openOne);
  };
  const mine = ({ tenant }: Deletion): Opened[] => all().filter(({ connection }) => connection.tenant === tenant);
  /** Across shards a part has no name of its own, and rewriting no end that could be seen. */
  const isCluster = ({ connection }: Opened): boolean => connection.cluster !== "";
  const wordsOf = ({ connection: { name, id } }: Opened): string => `${name} (${id})`;

  /** Undefined when the server could not be asked, or rests because of that; then `failed` says why. */
  const attempt = async <T>(one: Opened, work: () => Promise<T>): Promise<T | undefined> => {
    if ((one.failed?.until ?? 0) > Date.now()) return undefined;
    try {
      const result = await work();
      one.failed = undefined;
      return result;
    } catch (error) {
      const { detail: problem } = remoteTrouble(error);
      one.failed = { problem, until: Date.now() + restMs };
      const connection = one.connection.id;
      log.warn({ err: error, connection, problem }, "a customer's ClickHouse could not be looked through");
      return undefined;
    }
  };

  /** What was removed there, as far as it is written down there, is written down here. */
  const copy = async ({ server }: Opened, deletion: Deletion): Promise<void> => {
    const rows = await server.rows<{ row: RemovedRow }>(
      `SELECT (source, topic, partition, toString(offset), toString(toUnixTimestamp64Milli(min(received_at))),
         bitmapToArray(groupBitmapMergeState(indexes))) AS row FROM removals
       WHERE tenant = {tenant:String} AND removal = {removal:String} GROUP BY source, topic, partition, offset`,
      { tenant: deletion.tenant, removal: deletion.id },
    );
    for (const piece of inPieces(rows.map(({ row }) => row)))
      await deps.clickhouse.command(
        `INSERT INTO removals (tenant, removal, source, topic, partition, offset, received_at, indexes, at)
         SELECT {tenant:String}, {removal:String}, r.1, r.2, r.3, toUInt64(r.4), fromUnixTimestamp64Milli(toInt64(r.5), 'UTC'),
           arrayReduce('groupBitmapState', r.6), now64(3)
         FROM (SELECT arrayJoin(JSONExtract({rows:String}, 'Array(Tuple(String, String, UInt16, String, String, Array(UInt32)))')) AS r)`,
        { tenant: deletion.tenant, removal: ownRemoval(deletion.id), rows: piece },
      );
  };

  return {
    name: "clickhouse",
    sweep: async (policies, now) => {
      const removed = new Map<string, number>();
      const details: string[] = [];
      const sum = { looked: 0, overdue: 0, held: 0 };
      const servers = all();
      for (const one of servers) {
        const { tenant, id } = one.connection;
        if (isCluster(one)) {
          details.push(`${id} is a cluster, where nothing is removed`);
          continue;
        }
        // The server is its owner's, and says whose its rows are: it is believed for its owner alone.
        const policy = policies.of(tenant);
        const own = {
          of: (asked: string) => (asked === tenant ? policy : undefined),
          all: () => (policy === undefined ? [] : [policy]),
        };
        const swept = await attempt(one, async () => {
          const found = [];
          for (const place of one.places) found.push(await place.sweep(own, now));
          return found;
        });
        if (swept === undefined) details.push(`${id} could not be looked through`);
        for (const { looked, overdue, held, removed: gone } of swept ?? []) {
          sum.looked += looked;
          sum.overdue += overdue;
          sum.held += held;
          addTo(removed, tenant, total(gone));
        }
      }
      return { ...sum, removed, detail: details.join("; ") || `${servers.length} servers of customers` };
    },
    remove: async (deletion) => {
      for (const one of mine(deletion).filter((server) => !isCluster(server)))
        await attempt(one, async () => {
          for (const place of one.places) await place.remove(deletion);
          await copy(one, deletion);
        });
    },
    rescan: async (deletion) => {
      let found = 0;
      let unknown = false;
      const details: string[] = [];
      for (const one of mine(deletion)) {
        const looked = await attempt(one, async () => {
          let there = 0;
          for (const place of one.places) there += (await place.rescan(deletion)).found;
          return there;
        });
        if (looked === undefined) {
          unknown = true;
          details.push(`${wordsOf(one)}: ${one.failed?.problem ?? ""}`);
          continue;
        }
        found += looked;
        const whose = isCluster(one) ? "; on a cluster Astralog removes nothing: do it there" : "";
        details.push(`${wordsOf(one)}: its events and dead letters looked through${whose}`);
      }
      const removed = await deps.removals.count(deletion.tenant, ownRemoval(deletion.id));
      return { found, removed, detail: details.join("; ") || "no ClickHouse server is connected", unknown };
    },
  };
};
