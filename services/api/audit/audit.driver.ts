/** For the real tests of the trail: a running api, its database, the heads in Kafka, and what can be done to all of these. */
import {
  type ControlTable,
  createControlTable,
  createKafka,
  createLog,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import {
  type AuditEvent,
  type AuditHead,
  type AuditHeadRecord,
  type ChainBreak,
  createChainCheck,
  type ExportHeader,
  parseJsonLine,
  topics,
} from "@astralog/schemas";
import { connectPostgres, connectSession } from "@astralog/schemas/postgres";
import type { Platform, RunningService } from "@astralog/testbed";
import { callApi, until } from "../api.driver.ts";
import type { Db } from "../postgres.ts";
import { auditEventOf } from "./audit-events.ts";

export interface Trails {
  readonly api: RunningService;
  readonly db: Db;
  readonly heads: ControlTable<AuditHeadRecord>;
}

export const openTrails = async (one: Platform): Promise<Trails> => {
  const api = await one.start("api");
  // The first keys reach the api in a moment.
  await until("the first keys", async () =>
    (await callApi(api)(one.adminKey, "GET", "/audit/head")).status === 200 ? true : undefined,
  );
  const log = createLog("test", "fatal");
  const kafka = createKafka(loadConfig(kafkaShape, one.env("api")), log, "test");
  const heads = await createControlTable(kafka, { log }, { principal: "api", topic: topics.auditHeads });
  return { api, heads, db: connectPostgres(one.env("api").POSTGRES_URL ?? "") };
};

export const chainIn = async (db: Db, tenant: string): Promise<AuditEvent[]> =>
  (await db.selectFrom("audit_events").selectAll().where("tenant", "=", tenant).orderBy("seq").execute()).map(
    auditEventOf,
  );

export const checked = (tenant: string, events: readonly AuditEvent[], end?: AuditHead): ChainBreak | undefined => {
  const check = createChainCheck(tenant);
  for (const event of events) {
    const broken = check.take(event);
    if (broken !== undefined) return broken;
  }
  return check.finish(end);
};

export const exportOf = async (api: RunningService, key: string, format = "json") => {
  const response = await fetch(`${api.url}/api/v1/audit/export?format=${format}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await response.text();
  const lines = text.trimEnd().split(/\r?\n/);
  const parsed = format === "json" ? lines.map(parseJsonLine) : [];
  const header = parsed[0] as { header: ExportHeader } | undefined;
  const end = parsed.at(-1) as { head: AuditHead } | undefined;
  return {
    response,
    text,
    lines,
    header: header?.header,
    events: parsed.slice(1, -1).map((line) => (line as { event: AuditEvent }).event),
    head: end?.head,
  };
};

/** What a superuser can do who switches the triggers off. */
export const asSuperuser = async (one: Platform, ...statements: [string, unknown[]?][]): Promise<void> => {
  const client = connectSession(one.deployment.postgresUrl);
  await client.connect();
  for (const table of ["audit_events", "audit_chains"]) await client.query(`alter table ${table} disable trigger all`);
  for (const [sql, values] of statements) await client.query(sql, values);
  for (const table of ["audit_events", "audit_chains"]) {
    await client.query(`alter table ${table} enable trigger all`);
  }
  await client.end();
};
