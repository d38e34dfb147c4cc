/**
 * What the alerters have done, in Postgres for people to read: incidents, their changes, and each notice with its tries.
 * Every row has an id of its maker's, so hearing of one twice writes it once; a later state never gives way to an earlier.
 */
import { consume, type GroupConsumer, type KafkaClient, type Log } from "@astralog/chassis";
import { type AlertTransition, type AuditSigner, decodeRecord, topics } from "@astralog/schemas";
import type { Gone, IncidentState, NoticeState } from "@astralog/schemas/alerts/index";
import { sql } from "kysely";
import { bySystem } from "../audit/audit-trail.ts";
import type { Db } from "../postgres.ts";
import type { Destinations } from "./destinations.ts";

export interface FollowDeps {
  readonly kafka: KafkaClient;
  readonly db: Db;
  readonly signer: AuditSigner;
  readonly destinations: Pick<Destinations, "disable">;
  readonly log: Log;
}

const asJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? Number(inner) : inner)).replaceAll(
    "\\u0000",
    "\\ufffd",
  );

export const followAlerts = async ({ kafka, db, signer, destinations, log }: FollowDeps): Promise<GroupConsumer> => {
  /** A tenant that Postgres does not know is one of another database: its rows have no place here. */
  const known = async (tenant: string): Promise<boolean> =>
    (await db.selectFrom("tenants").select("id").where("id", "=", tenant).executeTakeFirst()) !== undefined;

  const changed = async (transition: AlertTransition): Promise<void> => {
    const { tenant, id, incident } = transition;
    await db
      .insertInto("alert_changes")
      .values({ tenant, id, incident, at: new Date(Number(transition.judged_at)), body: asJson(transition) })
      .onConflict((conflict) => conflict.columns(["tenant", "id"]).doNothing())
      .execute();
  };

  const incident = async (state: IncidentState): Promise<void> => {
    const values = { state: state.state, closed: state.closed, body: asJson(state) };
    await db
      .insertInto("alert_incidents")
      .values({ ...values, tenant: state.tenant, id: state.id, rule: state.rule, created_at: new Date(state.since) })
      .onConflict((conflict) =>
        conflict
          .columns(["tenant", "id"])
          .doUpdateSet(values)
          .where(sql<boolean>`(alert_incidents.body->>'through')::bigint <= ${state.through}`),
      )
      .execute();
  };

  const notice = async ({ tenant, target, notice: said, status, madeAt, ...rest }: NoticeState): Promise<void> => {
    const values = { status, body: asJson({ tenant, target, notice: said, status, madeAt, ...rest }) };
    await db
      .insertInto("alert_notices")
      .values({
        ...{ ...values, tenant, id: said.id, destination: target, created_at: new Date(madeAt) },
        incidents: [...new Set(said.incidents.map(({ id }) => id))],
      })
      .onConflict((conflict) =>
        conflict.columns(["tenant", "id"]).doUpdateSet(values).where("alert_notices.status", "=", "due"),
      )
      .execute();
  };

  const told = async (kind: string, body: string): Promise<void> => {
    const given: unknown = JSON.parse(body);
    if (!(await known((given as { tenant: string }).tenant))) return;
    if (kind === "incident") await incident(given as IncidentState);
    if (kind === "notice") await notice(given as NoticeState);
    if (kind !== "gone") return;
    const { tenant, target, version, problem } = given as Gone;
    await destinations.disable(tenant, target, version, problem, bySystem(signer));
  };

  const transitions = kafka.name(topics.alertTransitions.name);
  return consume(
    kafka,
    { log },
    {
      group: "api.alerts",
      topics: [transitions, kafka.name(topics.alertDeliveries.name)],
      handle: async ({ topic, records }) => {
        for (const { value } of records) {
          if (value === null) continue;
          if (topic === transitions) {
            const transition = decodeRecord("AlertTransition", value);
            if (await known(transition.tenant)) await changed(transition);
          } else {
            const { kind, body } = decodeRecord("AlertDelivery", value);
            await told(kind, body);
          }
        }
      },
    },
  );
};
