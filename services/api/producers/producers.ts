/**
 * Kafka-native producers: made, rotated, revoked. The password exists only in the answer that made it; Kafka has it
 * salted, and here is nothing of it. What Kafka must be told of an end, the keeper tells it.
 */
import { Fault } from "@astralog/chassis";
import { randomBase62, tenantPartitions, topics } from "@astralog/schemas";
import type { ProducerTable } from "@astralog/schemas/postgres";
import { type Selectable, sql } from "kysely";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceSource, type SourceRow } from "../control/outbox.ts";
import { noSource } from "../control/sources.ts";
import { listOf } from "../http/paging.ts";
import { checkFeature } from "../plans/plan-inputs.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import type { Db, Trx } from "../postgres.ts";
import type { ProducersKafka } from "./producers-kafka.ts";

export type ProducerRow = Selectable<ProducerTable>;

export interface NewProducer {
  source: string;
  name?: string | undefined;
  expires_at?: Date | undefined;
}

/** `password` is the one chance to see it. */
export interface MadeProducer {
  row: ProducerRow;
  password: string;
  topic: string;
  /** Of Event, under the topic's subject. */
  schemaId: number;
}

export interface ProducersDeps {
  readonly db: Db;
  readonly kafka: ProducersKafka;
  /** Registers Event under the topic's subject and returns its id. */
  register(topic: string): Promise<number>;
}

/** Users of one source that are good at the same time. */
const mostPerSource = 20;

export const listProducers = listOf("producers");

const lockSource = async (trx: Trx, tenant: string, id: string): Promise<SourceRow> => {
  const source = await trx
    .selectFrom("sources")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (source === undefined) throw noSource();
  return source;
};

/** Chooses where the topic's partitions go, once and for ever: the sink relies on each going to one place. */
const choosePlaces = (db: Db, tenant: string, id: string): Promise<number[]> =>
  db.transaction().execute(async (trx) => {
    const source = await lockSource(trx, tenant, id);
    if (source.native_partitions.length > 0) return source.native_partitions;
    const row = await trx
      .updateTable("sources")
      .set({ native_partitions: tenantPartitions(tenant, source.partitions, topics.clean.partitions) })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceSource(trx, row);
    return row.native_partitions;
  });

/** Neither revoked nor expired. */
export const isOpen = sql<boolean>`producers.revoked_at is null and (producers.expires_at is null or producers.expires_at > now())`;

/** Makes topic, schema and user, then the row in `within`, without which the user would have no right. */
const make = async (
  { db, kafka, register }: ProducersDeps,
  tenant: string,
  wanted: NewProducer & { rotated_from: string | null },
  within: (trx: Trx, row: ProducerRow) => Promise<void>,
): Promise<MadeProducer> => {
  const { source } = wanted;
  const places = await choosePlaces(db, tenant, source);
  const topic = kafka.topicOf(source);
  await kafka.ensureTopic(source, places.length);
  const schemaId = await register(topic);
  const id = `prd_${randomBase62(12)}`;
  const username = kafka.usernameOf(id);
  const password = randomBase62(40);
  await kafka.setPassword(username, password);
  try {
    const row = await db.transaction().execute(async (trx) => {
      await lockSource(trx, tenant, source);
      const { count } = await trx
        .selectFrom("producers")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .where("source", "=", source)
        .where(isOpen)
        .executeTakeFirstOrThrow();
      if (count >= mostPerSource)
        throw new Fault("too_many", `A source may have ${mostPerSource} producers; revoke one first.`);
      const made = await trx
        .insertInto("producers")
        .values({
          ...{ id, tenant, source, username, rotated_from: wanted.rotated_from },
          name: wanted.name ?? "",
          expires_at: wanted.expires_at ?? null,
          revoked_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await within(trx, made);
      return made;
    });
    return { row, password, topic, schemaId };
  } catch (error) {
    // Nobody has seen its password, and it has no rights.
    await kafka.removeUser(username).catch(() => undefined);
    throw error;
  }
};

/** What the audit trail tells of a producer. */
const about = ({ source, name, username, expires_at }: ProducerRow) => ({
  ...{ source, name, username },
  expires_at: expires_at?.toISOString() ?? null,
});

/**
 * Faults: `not_found` when the tenant has no such source, `over_plan` (a producer from before may still be rotated),
 * `too_many`, `kafka_unavailable`, `registry_unavailable`.
 */
export const createProducer = async (
  deps: ProducersDeps,
  tenant: string,
  wanted: NewProducer,
  by: By,
): Promise<MadeProducer> => {
  checkFeature(await readPlan(deps.db, tenant), "native_producers");
  return make(deps, tenant, { ...wanted, rotated_from: null }, async (trx, row) => {
    const target = { kind: "producer", id: row.id };
    await recordAct(trx, by, { tenant, action: "producer.created", target, details: about(row) });
  });
};

/** Faults: `not_found`. */
export const findProducer = async (db: Db | Trx, tenant: string, id: string): Promise<ProducerRow> => {
  const row = await db
    .selectFrom("producers")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such producer.");
  return row;
};

export const hasEnded = ({ revoked_at, expires_at }: Pick<ProducerRow, "revoked_at" | "expires_at">): boolean =>
  revoked_at !== null || (expires_at !== null && expires_at <= new Date());

/**
 * A new user like the old one, which goes on for `overlapSeconds` (0: it stops at once).
 * Faults: as createProducer, and `producer_ended`.
 */
export const rotateProducer = async (
  deps: ProducersDeps,
  tenant: string,
  id: string,
  overlapSeconds: number,
  by: By,
): Promise<MadeProducer> => {
  const ended = () => new Fault("producer_ended", "This producer is revoked or has expired; create a new one instead.");
  const old = await findProducer(deps.db, tenant, id);
  if (hasEnded(old)) throw ended();
  const wanted = { source: old.source, name: old.name, expires_at: old.expires_at ?? undefined, rotated_from: id };
  return make(deps, tenant, wanted, async (trx, row) => {
    // The source's lock, which revoking takes too, keeps the old one as it is now.
    const now = await findProducer(trx, tenant, id);
    if (hasEnded(now)) throw ended();
    const end = new Date(Date.now() + overlapSeconds * 1000);
    const changes = overlapSeconds === 0 ? { revoked_at: new Date() } : { expires_at: end };
    if (overlapSeconds === 0 || now.expires_at === null || now.expires_at > end)
      await trx.updateTable("producers").set(changes).where("id", "=", id).execute();
    await recordAct(trx, by, {
      tenant,
      action: "producer.rotated",
      target: { kind: "producer", id },
      details: { new_producer: row.id, overlap_seconds: overlapSeconds, ...about(row) },
    });
  });
};

/** Revoking twice changes nothing, and the trail tells of it once. Faults: `not_found`. */
export const revokeProducer = (db: Db, tenant: string, id: string, by: By): Promise<ProducerRow> =>
  db.transaction().execute(async (trx) => {
    const { source } = await findProducer(trx, tenant, id);
    await lockSource(trx, tenant, source);
    const row = await findProducer(trx, tenant, id);
    if (row.revoked_at !== null) return row;
    const revoked = await trx
      .updateTable("producers")
      .set({ revoked_at: new Date() })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    const target = { kind: "producer", id };
    await recordAct(trx, by, { tenant, action: "producer.revoked", target, details: about(row) });
    return revoked;
  });
