/** What ClickHouse says of deletions: how much one would remove, how far it is, and what it has removed. */
import { createBinder } from "@astralog/schemas/query/index";
import {
  type Deletion,
  deadDeletionSql,
  deletionSql,
  type PlaceName,
  type RemovedRecord,
} from "@astralog/schemas/retention/index";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";

export interface DeletionStep {
  readonly place: PlaceName;
  readonly state: string;
  readonly removed: number;
  readonly found: number;
  readonly detail: string;
  /** RFC 3339. */
  readonly at: string;
}

// The most that a search may take.
const seconds = 30;
const recordsAtOnce = 20_000;

export const createDeletionQueries = (queries: ClickHouseQueries, topicPrefix: string) => ({
  /** What it would remove now. */
  preview: async (deletion: Deletion): Promise<{ events: number; dead_letters: number }> => {
    const [events, letters] = [createBinder(), createBinder()];
    const counted = await queries.forTenant<[string]>(
      deletion.tenant,
      {
        query: `SELECT toString(count()) FROM tenant_events WHERE ${deletionSql(deletion, events.bind)}`,
        params: events.params,
      },
      { name: "deletion_preview", seconds },
    );
    const dead = await queries.forLedger<[string]>(
      {
        query: `SELECT toString(count()) FROM dead_letters FINAL WHERE ${deadDeletionSql(deletion, letters.bind)}`,
        params: letters.params,
      },
      { name: "deletion_preview", seconds },
    );
    return { events: Number(counted.rows[0]?.[0] ?? 0), dead_letters: Number(dead.rows[0]?.[0] ?? 0) };
  },

  steps: async (tenant: string): Promise<Map<string, DeletionStep[]>> => {
    const { params, bind } = createBinder();
    type Row = [string, PlaceName, string, string, string, string, string];
    const { rows } = await queries.forLedger<Row>(
      {
        query: `SELECT deletion, place, state, toString(removed), toString(found), detail,
formatDateTime(at, '%Y-%m-%dT%H:%i:%S.%fZ', 'UTC') FROM deletion_steps FINAL WHERE tenant = ${bind("String", tenant)}`,
        params,
      },
      { name: "deletion_steps", seconds },
    );
    const steps = new Map<string, DeletionStep[]>();
    for (const [deletion, place, state, removed, found, detail, at] of rows) {
      const mine = steps.get(deletion) ?? [];
      mine.push({ place, state, removed: Number(removed), found: Number(found), detail, at });
      steps.set(deletion, mine);
    }
    return steps;
  },

  /** In the order of the list, piece by piece. */
  async *removed({ tenant, id }: Pick<Deletion, "tenant" | "id">): AsyncGenerator<RemovedRecord> {
    type Row = [RemovedRecord["place"], string, string, number, string, string, string];
    for (let from = 0; ; from += recordsAtOnce) {
      const { params, bind } = createBinder();
      const { rows } = await queries.forLedger<Row>(
        {
          query: `SELECT multiIf(startsWith(removal, 'dead:'), 'dead_letters', startsWith(removal, 'bucket:'), 'buckets', startsWith(removal, 'own:'), 'clickhouse', 'events') AS place, source, topic, partition, toString(offset),
toString(groupBitmapMerge(indexes)), lower(hex(SHA256(toString(bitmapToArray(groupBitmapMergeState(indexes)))))) FROM removals
WHERE tenant = ${bind("String", tenant)} AND removal IN ${bind("Array(String)", [id, `dead:${id}`, `bucket:${id}`, `own:${id}`])}
GROUP BY place, source, topic, partition, offset ORDER BY place, source, topic, partition, removals.offset
LIMIT ${recordsAtOnce} OFFSET ${from}`,
          params,
        },
        { name: "deletion_removed", seconds },
      );
      for (const [place, source, topic, partition, offset, events, indexes_sha256] of rows)
        yield {
          ...{ place, source, topic: topic.slice(topicPrefix.length), partition, offset: Number(offset) },
          ...{ events: Number(events), indexes_sha256 },
        };
      if (rows.length < recordsAtOnce) return;
    }
  },
});

export type DeletionQueries = ReturnType<typeof createDeletionQueries>;
