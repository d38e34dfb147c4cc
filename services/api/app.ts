/** From connections to the app: each set of routes gets only what it needs. */
import {
  type Config,
  type ControlTable,
  createOutgoing,
  type KafkaClient,
  type Log,
  type RecordProducer,
  type Registry,
} from "@astralog/chassis";
import { type AuditSigner, type KeyRecord, type SourceRecord, topics } from "@astralog/schemas";
import express, { type Express } from "express";
import type { AuditCounts } from "./audit/audit-counts.ts";
import type { AuditHeads } from "./audit/audit-heads.ts";
import { createAudit } from "./audit/audit-request.ts";
import { createAuditRoutes } from "./audit/audit-routes.ts";
import { createAuthenticate } from "./authenticate.ts";
import type { ClickHouseClient } from "./clickhouse.ts";
import type { shape } from "./config.ts";
import { createControlRoutes } from "./control/control-routes.ts";
import { createDeadRoutes } from "./dead/dead-routes.ts";
import type { ApiMetrics } from "./metrics.ts";
import { createPartnerKeys } from "./partners/partner-keys.ts";
import { createPartnerRoutes } from "./partners/partner-routes.ts";
import type { Db } from "./postgres.ts";
import { createAnalysisRoutes } from "./search/analysis-routes.ts";
import { createQueries } from "./search/clickhouse-query.ts";
import { createSearchRoutes } from "./search/search-routes.ts";
import { createApp } from "./server.ts";
import type { KafkaPositions } from "./verify/kafka-positions.ts";
import { createLedgerQueries } from "./verify/ledger-queries.ts";
import { createVerifyRoutes } from "./verify/verify-routes.ts";
import { createVerify } from "./verify/verify-run.ts";

export interface AppDeps {
  readonly config: Config<typeof shape>;
  readonly log: Log;
  readonly metrics: ApiMetrics;
  readonly kafka: KafkaClient;
  readonly registry: Registry;
  readonly producer: RecordProducer;
  readonly keys: ControlTable<KeyRecord>;
  readonly sources: ControlTable<SourceRecord>;
  readonly db: Db;
  readonly positions: KafkaPositions;
  readonly query: ClickHouseClient;
  readonly ledger: ClickHouseClient;
  readonly signer: AuditSigner;
  readonly heads: AuditHeads;
  readonly counts: AuditCounts;
}

export const buildApp = (deps: AppDeps): Express => {
  const { config, log, metrics, kafka, keys, db, signer, heads } = deps;
  const audit = createAudit({ db, signer, counts: deps.counts });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const rawTopic = kafka.name(topics.raw.name);
  const queries = createQueries({
    query: deps.query,
    ledger: deps.ledger,
    metrics,
  });
  const sourceNames = (tenant: string): Map<string, string> =>
    new Map(
      [...deps.sources.values()].flatMap((one) => (one.tenant === tenant ? [[one.source, one.name] as const] : [])),
    );
  const verify = createVerify({
    positions: deps.positions,
    ledger: createLedgerQueries(queries, rawTopic),
    redactorGroup: config.REDACTOR_GROUP,
    sinkGroup: config.SINK_GROUP,
  });
  return createApp({
    log,
    metrics,
    audit,
    authenticate: express.Router().use(...partners(deps, audit), createAuthenticate(keys, audit.refused)),
    routers: [
      createSearchRoutes({ queries, topicPrefix, searchSeconds: config.SEARCH_SECONDS, sourceNames }),
      createAnalysisRoutes({ queries, topicPrefix, searchSeconds: config.SEARCH_SECONDS, sourceNames }),
      createControlRoutes({ db, audit, log }),
      createVerifyRoutes({ verify, audit, sourceNames }),
      createDeadRoutes({
        audit,
        queries,
        topicPrefix,
        key: config.DEAD_LETTER_KEY,
        producer: deps.producer,
        metrics,
        log,
        schemaId: () => deps.registry.idOf("EventBatch", rawTopic),
      }),
      createAuditRoutes({ db, audit, heads, signer, log }),
    ],
    trustedProxies: config.TRUSTED_PROXIES,
    requestsPerMinute: config.REQUESTS_PER_MINUTE,
    refusalsPerMinute: config.REFUSALS_PER_MINUTE,
  });
};

/** Closed unless the operator says whose signatures count. */
const partners = ({ config, db, signer, log }: AppDeps, audit: ReturnType<typeof createAudit>) => {
  const { SECRET_SCANNING_KEYS_URL: url, SECRET_SCANNING_KEYS: given } = config;
  if (url === "" && given === "") return [];
  const outgoing = createOutgoing({ allowed: config.OUTGOING_ALLOWED });
  const keys = createPartnerKeys({ url, given, outgoing, log });
  // Owners learn of it from their audit trail and from here; who sends mail takes this place.
  const notify = async (tenant: string, event: { kind: "key_leaked"; key: string }) =>
    log.warn({ tenant, event: event.kind, key: event.key }, "a tenant's key was found in public and is revoked");
  return [createPartnerRoutes({ db, signer, audit, keys, notify, log })];
};
