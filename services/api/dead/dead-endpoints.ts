/** Dead letters: list, show, send back. The payload is never shown. */
import { Fault, type Log, type RecordProducer } from "@astralog/chassis";
import { nativePrefix, placeText, replayDedupId, topics } from "@astralog/schemas";
import { createBinder } from "@astralog/schemas/query/index";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import type { ApiMetrics } from "../metrics.ts";
import type { ClickHouseQueries } from "../search/clickhouse-query.ts";
import type { Owner } from "../search/scope.ts";
import {
  type DeadRow,
  deadLetterSql,
  deadListSql,
  deadPlace,
  deadView,
  formatDeadId,
  parseDeadId,
} from "./dead-letters.ts";
import { nativeReplay, openPayload, replayValue } from "./replay.ts";

export interface DeadDeps {
  readonly audit: Pick<Audit, "record">;
  readonly queries: ClickHouseQueries;
  readonly topicPrefix: string;
  readonly key: Buffer;
  readonly producer: Pick<RecordProducer, "send">;
  readonly metrics: ApiMetrics;
  readonly log: Log;
  /** Id of the EventBatch schema on events.raw. */
  schemaId(): Promise<number>;
}

const input = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  reason: z.string().max(64).optional(),
});

const deadShape = z.object({
  id: z.string(),
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  index: z.int().describe("-1: the whole record."),
  source: z.string(),
  reason: z.string(),
  detail: z.string(),
  died_at: z.iso.datetime(),
  payload_bytes: z.int(),
});

const options = { name: "dead", seconds: 20 };

export const createDeadEndpoints = (deps: DeadDeps): Endpoint[] => {
  const { audit, queries, topicPrefix } = deps;

  const find = async (owner: Owner, id: string, payload: boolean): Promise<DeadRow> => {
    const at = parseDeadId(id);
    if (at === undefined) throw new Fault("invalid_request", "A dead letter's id looks like 3-1742 or 3-1742-0.");
    const { rows } = await queries.forLedger<DeadRow>(deadLetterSql(owner, topicPrefix, at, { payload }), options);
    const [row] = rows;
    if (row === undefined) throw new Fault("not_found", "There is no such dead letter.");
    return row;
  };

  /** Whether a replay of it was stored before, however long ago; the sink alone remembers an hour. */
  const isStored = async (tenant: string, dedupId: string): Promise<boolean> => {
    const { params, bind } = createBinder();
    const query = `SELECT count() FROM tenant_batches WHERE tenant = ${bind("String", tenant)} AND dedup_id = ${bind("String", dedupId)} AND stored > 0`;
    const { rows } = await queries.forTenant<[string]>(tenant, { query, params }, options);
    return Number(rows[0]?.[0] ?? 0) > 0;
  };

  const targetOf = (row: DeadRow) => ({ kind: "dead_letter", id: deadView(row, topicPrefix).id });

  const list = endpoint({
    ...{ method: "get", path: "/dead", access: "dead.read", tag: "dead letters" },
    summary: "What could not be stored, newest first",
    query: input,
    success: { status: 200, body: z.object({ dead: z.array(deadShape) }) },
    handle: async ({ query, caller, response }) => {
      const { rows } = await queries.forLedger<DeadRow>(deadListSql(caller, query), options);
      const details = { ...query, reason: query.reason ?? null, listed: rows.length };
      await audit.record(response, { action: "dead_letter.listed", target: { kind: "dead_letter", id: "" }, details });
      return { dead: rows.map((row) => deadView(row, topicPrefix)) };
    },
  });

  const show = endpoint({
    ...{ method: "get", path: "/dead/:id", access: "dead.read", tag: "dead letters", summary: "One dead letter" },
    success: { status: 200, body: deadShape },
    handle: async ({ params, caller, response }) => {
      const row = await find(caller, params.id, false);
      await audit.record(response, { action: "dead_letter.shown", target: targetOf(row) });
      return deadView(row, topicPrefix);
    },
  });

  const replay = endpoint({
    ...{ method: "post", path: "/dead/:id/replay", access: "dead.replay", tag: "dead letters" },
    summary: "Send it through the pipeline again",
    success: { status: 202, body: z.object({ id: z.string(), replayed_as: z.string(), was: z.looseObject({}) }) },
    handle: async ({ params, caller, response }) => {
      const { tenant, actor } = caller;
      const row = await find(caller, params.id, true);
      const [topic, partition, offset, index, source, reason, , diedAt, , encryption, sealed] = row;
      const place = { topic, partition, offset, index };
      const native = topic.startsWith(deps.topicPrefix + nativePrefix);
      if (native && index >= 0 && reason !== "redaction_failed")
        throw new Fault(
          "cannot_replay",
          `An event that died as ${reason} would exceed it again: correct the producer, and send it again.`,
        );
      if (await isStored(tenant, replayDedupId(placeText(place)))) {
        throw new Fault("cannot_replay", "It was replayed before and is stored.");
      }
      const bytes = Buffer.from(sealed, "base64");
      // What storage refused had been read already, and is as clean as it was then.
      const asWritten = native && index < 0 && encryption !== "none";
      const value = asWritten
        ? nativeReplay(deps.key, place, bytes)
        : replayValue(
            encryption === "none" ? bytes : openPayload(deps.key, place, bytes),
            { ...place, tenant, source, diedAt: Number(diedAt) },
            await deps.schemaId(),
          );
      // No transaction spans Kafka and Postgres. The trail is written first, so that it may tell of a replay that then
      // failed, which it says in a second event, but never miss one.
      const act = { action: "dead_letter.replayed", target: targetOf(row) } as const;
      await audit.record(response, act);
      const placed = await deps.producer
        .send({ topic: asWritten ? topic : topicPrefix + topics.raw.name, partition, value })
        .catch(async (error: unknown) => {
          await audit.record(response, { ...act, result: "failed" });
          throw error;
        });
      deps.metrics.replays.inc();
      const id = deadView(row, topicPrefix).id;
      deps.log.info(
        { act: "dead.replay", id, tenant, by: actor.id, to: { partition: placed.partition, offset: placed.offset } },
        "control",
      );
      const was = deadPlace(row, topicPrefix);
      const replayed_as = formatDeadId({
        topic: asWritten ? was.topic : topics.raw.name,
        ...{ partition: placed.partition, offset: placed.offset, index: -1 },
      });
      return { id, replayed_as, was };
    },
  });

  return [list, show, replay];
};
