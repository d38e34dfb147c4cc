/** Kafka-native producers over HTTP. */
import { Fault, type Log } from "@astralog/chassis";
import type { Audit } from "../audit/audit-request.ts";
import { rotation } from "../control/control-shapes.ts";
import { noSource } from "../control/sources.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { pageOf, pageQuery } from "../http/paging.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { madeProducerShape, newProducer, producerList, producerShape } from "./producer-shapes.ts";
import {
  createProducer,
  findProducer,
  hasEnded,
  listProducers,
  type MadeProducer,
  type ProducerRow,
  revokeProducer,
  rotateProducer,
} from "./producers.ts";
import type { Producers } from "./producers-connect.ts";
import { readPauses } from "./standing.ts";

export interface ProducerEndpointDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly log: Log;
  readonly producers: Producers | undefined;
}

const sees = ({ sources }: Caller, source: string): boolean => sources === "all" || sources.has(source);

export const createProducerEndpoints = ({ db, audit, log, producers }: ProducerEndpointDeps): Endpoint[] => {
  const tag = "producers";
  /** Faults: `native_unavailable` where the cluster lets nobody manage producers. */
  const here = (): Producers => {
    if (producers === undefined)
      throw new Fault("native_unavailable", "This installation gives the api no Kafka user for producers.");
    return producers;
  };
  /** How producers of this tenant are shown now. */
  const views = async (tenant: string) => {
    const pauseOf = await readPauses(db, tenant, producers?.usageOf(tenant));
    return ({ tenant: _, closed_at: __, ...row }: ProducerRow) => ({
      ...row,
      topic: producers?.kafka.topicOf(row.source) ?? "",
      paused: hasEnded(row) ? null : pauseOf(row.source),
    });
  };
  const madeView = async ({ row, password, schemaId }: MadeProducer) => ({
    ...{ ...(await views(row.tenant))(row), password, schema_id: schemaId },
    ...here().place,
  });
  const own = async (caller: Caller, id: string): Promise<ProducerRow> => {
    const row = await findProducer(db, caller.tenant, id);
    if (!sees(caller, row.source)) throw new Fault("not_found", "There is no such producer.");
    return row;
  };
  /** Kafka is told at once; where it cannot be now, the keeper goes on trying. */
  const tell = (act: string, { id, tenant }: ProducerRow): Promise<void> => {
    log.info({ act, id, tenant }, "control");
    return producers?.keeper.now() ?? Promise.resolve();
  };
  const granted = async (act: string, made: MadeProducer) => {
    await tell(act, made.row).catch((err) => log.warn({ err }, "a producer's right follows when Kafka answers"));
    return madeView(made);
  };

  return [
    endpoint({
      ...{ method: "get", path: "/producers", access: "producers.read", tag, summary: "Who writes to Kafka itself" },
      query: pageQuery,
      success: { status: 200, body: producerList },
      handle: ({ caller, query: { cursor, limit } }) =>
        withPostgres(async () => {
          const { page, next } = pageOf(await listProducers(db, caller.tenant, { cursor, limit: limit + 1 }), limit);
          const view = await views(caller.tenant);
          return { producers: page.filter(({ source }) => sees(caller, source)).map(view), next };
        }),
    }),
    endpoint({
      ...{ method: "post", path: "/producers", access: "producers.write", tag },
      summary: "Let a source write to Kafka itself; the password is shown this once",
      body: newProducer,
      success: { status: 201, body: madeProducerShape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => {
          if (!sees(caller, body.source)) throw noSource();
          const made = await createProducer(here(), caller.tenant, body, audit.by(response));
          return granted("producer.create", made);
        }),
    }),
    endpoint({
      ...{ method: "post", path: "/producers/:id/rotate", access: "producers.write", tag },
      summary: "Make a like producer, end this one",
      body: rotation,
      success: { status: 201, body: madeProducerShape },
      handle: ({ caller, params: { id }, body, response }) =>
        withPostgres(async () => {
          await own(caller, id);
          const made = await rotateProducer(here(), caller.tenant, id, body.overlap_seconds, audit.by(response));
          return granted("producer.rotate", made);
        }),
    }),
    endpoint({
      ...{ method: "delete", path: "/producers/:id", access: "producers.write", tag },
      summary: "Revoke a producer; when this answers, Kafka refuses it",
      success: { status: 200, body: producerShape },
      handle: ({ caller, params: { id }, response }) =>
        withPostgres(async () => {
          await own(caller, id);
          const row = await revokeProducer(db, caller.tenant, id, audit.by(response));
          await tell("producer.revoke", row);
          return (await views(caller.tenant))(row);
        }),
    }),
  ];
};
