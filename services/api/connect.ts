/** Everything the api reaches, each registered to be closed at the stop. */
import {
  type Context,
  createConfiguredKeys,
  createControlTable,
  createKafka,
  createKeyUses,
  createNotifier,
  createPositions,
  createProducer,
  createRegistry,
  createStorage,
  createTopicTail,
  openTakeouts,
  type TableOptions,
} from "@astralog/chassis";
import { createAuditSigner, type RecordName, topics } from "@astralog/schemas";
import { connectPostgres } from "@astralog/schemas/postgres";
import { createDestinations } from "./alerts/destinations.ts";
import { followAlerts } from "./alerts/follow.ts";
import type { AppDeps } from "./app.ts";
import { createAuditCounts } from "./audit/audit-counts.ts";
import { createAuditHeads } from "./audit/audit-heads.ts";
import { mayChangeTrails } from "./audit/audit-trail.ts";
import { connectClickHouse } from "./clickhouse.ts";
import type { shape } from "./config.ts";
import { followKeyUses } from "./control/key-uses.ts";
import type { ReconcileDeps } from "./control/reconcile.ts";
import { createExportQueries, exportSeconds } from "./export/clickhouse-export.ts";
import { startMail } from "./mail/mailer.ts";
import { createApiMetrics } from "./metrics.ts";
import { startSweep } from "./people/sweep.ts";
import { connectProducers } from "./producers/producers-connect.ts";
import { createAdmission } from "./search/admission.ts";
import { createQueries } from "./search/clickhouse-query.ts";
import { createEnvelope } from "./secrets/envelope.ts";
import { createClickHouses } from "./storage/clickhouse-connections.ts";
import { createConnections } from "./storage/connections.ts";
import { createOwnServers } from "./storage/own-servers.ts";
import { createHeaderReader } from "./tail/live-events.ts";
import { createTailHub } from "./tail/tail-hub.ts";
import { createPartitionsOf } from "./tail/tail-partitions.ts";
import { createTakeoutStore } from "./takeout/takeout-store.ts";

export const connect = async (context: Context<typeof shape>): Promise<AppDeps & ReconcileDeps> => {
  const { config, log, health, onStop } = context;
  const kafka = createKafka(config, log, "astralog-api");
  const registry = createRegistry(config);
  const producer = await createProducer(kafka, context, { lingerMs: 2 });
  onStop("producer", producer.close);
  const table = <N extends RecordName>(topic: TableOptions<N>["topic"]) =>
    createControlTable(kafka, { log, registry }, { principal: "api", topic });
  const tables = await Promise.all([
    table(topics.keys),
    table(topics.sources),
    table(topics.tenants),
    table(topics.usage),
    table(topics.auditHeads),
    table(topics.alertRules),
    table(topics.alertActions),
    table(topics.alertDestinations),
    table(topics.retentionRules),
    table(topics.deletions),
    table(topics.archiveState),
    table(topics.storage),
    table(topics.rehydrations),
    table(topics.rehydrationStates),
    table(topics.clickhouse),
  ]);
  const [keys, sources, tenants, usage, auditHeads, ...others] = tables;
  const [alertRules, alertActions, alertDestinations, retentionRules, deletions, archiveStates, storage, ...back] =
    others;
  const [rehydrations, rehydrationStates, clickhouseTable] = back;
  onStop("control tables", () => Promise.all(tables.map((one) => one.close())));
  health.require("control tables", () => tables.every((one) => one.complete) || "still being read");
  // Not a condition of readiness: searches go on without Postgres.
  const db = connectPostgres(config.POSTGRES_URL, {
    onError: (err) => log.warn({ err }, "a Postgres connection broke"),
  });
  onStop("postgres", () => db.destroy());
  mayChangeTrails(db).then(
    (may) =>
      may && log.warn("POSTGRES_URL's login may change the audit trail: give the api one of its own (docs/audit.md)"),
    (err: unknown) => log.warn({ err }, "what POSTGRES_URL's login may do could not be asked"),
  );
  const positions = createPositions(kafka);
  onStop("positions", positions.close);
  const user = (username: string, password: string, timeoutMs?: number) =>
    connectClickHouse(
      { url: config.CLICKHOUSE_URL, database: config.CLICKHOUSE_DATABASE, username, password },
      timeoutMs,
    );
  const query = user(config.CLICKHOUSE_QUERY_USERNAME, config.CLICKHOUSE_QUERY_PASSWORD);
  const exports = user(config.CLICKHOUSE_EXPORT_USERNAME, config.CLICKHOUSE_EXPORT_PASSWORD, exportSeconds * 1000);
  const bucket =
    config.CLICKHOUSE_BUCKET_PASSWORD === ""
      ? undefined
      : user(config.CLICKHOUSE_BUCKET_USERNAME, config.CLICKHOUSE_BUCKET_PASSWORD);
  const ledger = user(config.CLICKHOUSE_LEDGER_USERNAME, config.CLICKHOUSE_LEDGER_PASSWORD);
  onStop("clickhouse", () => Promise.all([query.close(), exports.close(), bucket?.close(), ledger.close()]));
  const metrics = createApiMetrics(context.metrics);
  const admission = {
    perTenant: config.SEARCHES_PER_TENANT,
    total: config.SEARCHES_AT_ONCE,
    patience: config.SEARCH_PATIENCE_SECONDS * 1000,
  };
  const buckets = createStorage(config);
  const ownServers = createOwnServers({
    ...{ table: clickhouseTable, storage: buckets, maxRows: config.SEARCH_ROWS },
    admission: createAdmission(admission),
  });
  const queries = createQueries({
    ...{ query, bucket, ledger, metrics, maxRows: config.SEARCH_ROWS, own: ownServers },
    admission: createAdmission(admission),
  });
  const signer = createAuditSigner(config.AUDIT_SIGNING_KEY);
  const heads = createAuditHeads({ db, table: auditHeads, signer, metrics, log });
  const counts = createAuditCounts({ db, log });
  onStop("audit counts", counts.close);
  const cleanTopic = kafka.name(topics.clean.name);
  const tail = createTailHub({
    log,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    openTail: (handle, onGap) =>
      createTopicTail(kafka, context, { principal: "api", topic: cleanTopic, handle, onGap }),
    readHeader: createHeaderReader(registry),
    partitionsOf: createPartitionsOf(sources),
    sourceName: (tenant, source) => sources.get(`${tenant}/${source}`)?.name ?? "",
  });
  const envelope = createEnvelope(createConfiguredKeys([config.SECRETS_KEY, ...config.SECRETS_KEYS_BEFORE]));
  envelope.rewrap(db).then(
    (count) => count > 0 && log.info({ count }, "data keys are wrapped with the present key"),
    (err: unknown) => log.warn({ err }, "the data keys could not be looked through"),
  );
  const mailer = startMail({
    ...{ db, envelope, log, url: config.MAIL_URL, from: config.MAIL_FROM },
    sent: (outcome) => metrics.mails.inc({ outcome }),
  });
  onStop("mail", mailer.close);
  onStop("sweep", startSweep(db, log).close);
  const uses = await followKeyUses(kafka, { db, log });
  onStop("key uses", uses.close);
  const keyUses = createKeyUses({ kafka, producer, registry, log }, { everyMs: config.KEY_USES_SECONDS * 1_000 });
  onStop("own key uses", keyUses.close);
  const notifier = createNotifier(config);
  onStop("notifier", notifier.close);
  const destinations = createDestinations({ db, sealer: notifier.sealer, outgoing: notifier.outgoing });
  destinations.reseal().then(
    (count) => count > 0 && log.info({ count }, "destinations are sealed with the present key"),
    (err: unknown) => log.warn({ err }, "the destinations could not be looked through"),
  );
  const alerts = await followAlerts({ kafka, db, signer, destinations, log });
  onStop("alerts", alerts.close);
  const connections = createConnections({
    ...{ db, envelope, storage: buckets },
    principal: config.STORAGE_AWS_PRINCIPAL,
  });
  const clickhouses = createClickHouses({ db, envelope, storage: buckets });
  if (config.STORAGE_KEYS_BEFORE.length > 0)
    Promise.all([connections.announceAll(), clickhouses.announceAll()])
      .then(([some, others]) => some + others)
      .then(
        (count) => count > 0 && log.info({ count }, "storage connections are sealed with the present key"),
        (err: unknown) => log.warn({ err }, "the storage connections could not be sealed anew"),
      );
  const takeoutFolder = openTakeouts(config);
  const takeouts = createTakeoutStore({ own: takeoutFolder, connections });
  const producers = connectProducers(context, db, usage);
  return {
    ...{ config, log, metrics, kafka, registry, producer, keys, sources, tenants, usage, db, positions, queries },
    ...{
      signer,
      heads,
      counts,
      keyUses,
      envelope,
      mailer,
      producers,
      exports: createExportQueries(exports),
      tail,
    },
    ...{ clickhouses, clickhouseTable, ownServers, notifier },
    ...{ destinations, connections, takeouts, takeoutFolder, outgoing: notifier.outgoing },
    ...{ alertRules, alertActions, alertDestinations },
    ...{ retentionRules, deletions, archiveStates, storage, rehydrations, rehydrationStates },
  };
};
