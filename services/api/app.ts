/** From connections to the app: each room of endpoints gets only what it needs. */
import type {
  Bucket,
  Config,
  ControlTable,
  KafkaClient,
  KafkaPositions,
  KeyUses,
  Log,
  Notifier,
  Outgoing,
  RecordProducer,
  Registry,
} from "@astralog/chassis";
import {
  type ArchiveStateRecord,
  type AuditSigner,
  type DeletionRecord,
  type KeyRecord,
  type RehydrationRecord,
  type RehydrationStateRecord,
  type RetentionRuleRecord,
  type SourceRecord,
  type TenantLimits,
  type TenantUsage,
  topics,
} from "@astralog/schemas";
import type { Express } from "express";
import { createAccessEndpoints } from "./access/access-endpoints.ts";
import { isStaff } from "./access/staff.ts";
import { createStaffAccess } from "./access/staff-access.ts";
import { createBacktestEndpoints } from "./alerts/backtest/backtest-endpoints.ts";
import { createDestinationEndpoints } from "./alerts/destination-endpoints.ts";
import type { Destinations } from "./alerts/destinations.ts";
import { createFindingEndpoints } from "./alerts/finding-rules.ts";
import { createIncidentEndpoints } from "./alerts/incident-endpoints.ts";
import { createRuleEndpoints } from "./alerts/rule-endpoints.ts";
import type { AuditCounts } from "./audit/audit-counts.ts";
import { createAuditEndpoints } from "./audit/audit-endpoints.ts";
import type { AuditHeads } from "./audit/audit-heads.ts";
import { createAudit } from "./audit/audit-request.ts";
import { createAuditStreams } from "./audit/audit-streams.ts";
import { createStreamEndpoints } from "./audit/stream-endpoints.ts";
import type { shape } from "./config.ts";
import { createControlEndpoints } from "./control/control-endpoints.ts";
import { createIntakeEndpoints } from "./control/intake-endpoints.ts";
import type { SourceRow } from "./control/outbox.ts";
import { createDeadEndpoints } from "./dead/dead-endpoints.ts";
import { type ExportQueries, onlyOfHere } from "./export/clickhouse-export.ts";
import { createExportEndpoints } from "./export/export-endpoints.ts";
import { createAuthenticate } from "./http/authenticate.ts";
import { createApp } from "./http/server.ts";
import type { Mailer } from "./mail/mailer.ts";
import type { ApiMetrics } from "./metrics.ts";
import { createSendInvitation } from "./organizations/invitation-letter.ts";
import { isInvited } from "./organizations/invitations.ts";
import { createMemberEndpoints } from "./organizations/member-endpoints.ts";
import { createMemberships } from "./organizations/memberships.ts";
import { createOrganizationEndpoints } from "./organizations/organization-endpoints.ts";
import { organizationsOf } from "./organizations/organizations.ts";
import { createRoleEndpoints, createTeamEndpoints } from "./organizations/team-endpoints.ts";
import { createLeakNotice } from "./partners/leak-letter.ts";
import { createPartnerEndpoints } from "./partners/partner-endpoints.ts";
import { createPartnerKeys } from "./partners/partner-keys.ts";
import { createPatternEndpoints } from "./patterns/pattern-endpoints.ts";
import { createPeople } from "./people/people-room.ts";
import { createPlanEndpoints } from "./plans/plan-endpoints.ts";
import { createUsageQueries } from "./plans/usage-queries.ts";
import { type Db, withPostgres } from "./postgres.ts";
import { createProducerEndpoints } from "./producers/producer-endpoints.ts";
import type { Producers } from "./producers/producers-connect.ts";
import { createDeletionEndpoints } from "./retention/deletion-endpoints.ts";
import { createDeletionQueries } from "./retention/deletion-queries.ts";
import { createDroppedOf, createFieldQueries } from "./retention/field-queries.ts";
import { createKeptQueries } from "./retention/kept-queries.ts";
import { untilOf } from "./retention/rehydrated.ts";
import { createRehydrationEndpoints } from "./retention/rehydration-endpoints.ts";
import { createRetentionEndpoints } from "./retention/retention-endpoints.ts";
import { createAnalysisEndpoints } from "./search/analysis-endpoints.ts";
import type { ClickHouseQueries } from "./search/clickhouse-query.ts";
import { createQueryEndpoints } from "./search/query-endpoints.ts";
import { createSearchEndpoints } from "./search/search-endpoints.ts";
import type { Envelope } from "./secrets/envelope.ts";
import { admitBySso } from "./sso/policy.ts";
import { createLeave } from "./sso/saml-logout-endpoints.ts";
import { createSocial, type SocialOptions } from "./sso/social.ts";
import { createSso, providersOf } from "./sso/sso-room.ts";
import { createStores } from "./storage/bucket-store.ts";
import type { ClickHouses } from "./storage/clickhouse-connections.ts";
import { createClickHouseEndpoints } from "./storage/clickhouse-endpoints.ts";
import type { Connections } from "./storage/connections.ts";
import { createReceiptsElsewhere } from "./storage/elsewhere.ts";
import type { OwnServers } from "./storage/own-servers.ts";
import { createStorageEndpoints } from "./storage/storage-endpoints.ts";
import { createTailEndpoints } from "./tail/tail-endpoints.ts";
import type { TailHub } from "./tail/tail-hub.ts";
import { createImportEndpoints } from "./takeout/import-endpoints.ts";
import { createEventImport } from "./takeout/import-events.ts";
import { createImportSums } from "./takeout/import-sums.ts";
import { createTakeoutEndpoints } from "./takeout/takeout-endpoints.ts";
import type { TakeoutStore } from "./takeout/takeout-store.ts";
import { createLedgerQueries } from "./verify/ledger-queries.ts";
import { rawTopicsOf } from "./verify/raw-topics.ts";
import { createVerifyEndpoints } from "./verify/verify-endpoints.ts";
import { createVerify } from "./verify/verify-run.ts";
import { createViewEndpoints } from "./views/view-endpoints.ts";

export interface AppDeps {
  readonly config: Config<typeof shape>;
  readonly log: Log;
  readonly metrics: ApiMetrics;
  readonly kafka: KafkaClient;
  readonly registry: Registry;
  readonly producer: RecordProducer;
  readonly keys: ControlTable<KeyRecord>;
  readonly sources: ControlTable<SourceRecord>;
  readonly tenants: ControlTable<TenantLimits>;
  readonly usage: ControlTable<TenantUsage>;
  readonly retentionRules: ControlTable<RetentionRuleRecord>;
  readonly deletions: ControlTable<DeletionRecord>;
  readonly archiveStates: ControlTable<ArchiveStateRecord>;
  readonly rehydrations: ControlTable<RehydrationRecord>;
  readonly rehydrationStates: ControlTable<RehydrationStateRecord>;
  readonly db: Db;
  readonly positions: KafkaPositions;
  readonly queries: ClickHouseQueries;
  readonly exports: ExportQueries;
  readonly tail: TailHub;
  readonly signer: AuditSigner;
  readonly heads: AuditHeads;
  readonly counts: AuditCounts;
  /** Undefined where the cluster lets nobody manage native producers. */
  readonly producers: Producers | undefined;
  readonly keyUses: Pick<KeyUses, "used">;
  readonly envelope: Envelope;
  readonly mailer: Mailer;
  readonly outgoing: Outgoing;
  readonly notifier: Notifier;
  readonly destinations: Destinations;
  readonly connections: Connections;
  readonly clickhouses: ClickHouses;
  readonly ownServers: OwnServers;
  readonly takeouts: TakeoutStore;
  /** The operator's store of files; undefined where there is none. */
  readonly takeoutFolder: Bucket | undefined;
}

export const buildApp = (deps: AppDeps): Express => {
  const { config, log, metrics, kafka, keys, db, queries, signer, heads } = deps;
  const audit = createAudit({ db, signer, counts: deps.counts });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const rawTopic = kafka.name(topics.raw.name);
  const sourceNames = (tenant: string): Map<string, string> =>
    new Map(
      [...deps.sources.values()].flatMap((one) => (one.tenant === tenant ? [[one.source, one.name] as const] : [])),
    );
  const verify = createVerify({
    positions: deps.positions,
    ledger: createLedgerQueries(queries, topicPrefix),
    rawTopics: (tenant) => rawTopicsOf(tenant, deps.sources.values(), config.REDACTOR_GROUP),
    sinkGroup: config.SINK_GROUP,
    theirs: (tenant) => {
      const home = deps.ownServers.home(tenant);
      if (home === undefined) return undefined;
      const forLedger: ClickHouseQueries["forLedger"] = (sql, options) => deps.ownServers.ask(home, sql, options);
      return { id: home.id, name: home.name, ledger: createLedgerQueries({ forLedger }, topicPrefix) };
    },
  });
  const social = createSocial({ ...socialApps(config), outgoing: deps.outgoing, log });
  const people = createPeople({
    ...{ db, audit, counts: deps.counts, mailer: deps.mailer, envelope: deps.envelope },
    publicUrl: config.PUBLIC_URL,
    secretsKey: config.SECRETS_KEY,
    idleMinutes: config.SESSION_IDLE_MINUTES,
    lifeHours: config.SESSION_HOURS,
    organizationsOf: (person) => organizationsOf(db, person),
    isOperator: (person) => withPostgres(() => isStaff(db, person)),
    isInvited,
    providers: () => providersOf(social),
    admit: admitBySso,
    leave: createLeave({ db, envelope: deps.envelope, outgoing: deps.outgoing }, config.PUBLIC_URL),
  });
  const sso = createSso({
    ...{
      db,
      audit,
      envelope: deps.envelope,
      mailer: deps.mailer,
      outgoing: deps.outgoing,
      people,
      social,
      isInvited,
      log,
    },
    publicUrl: config.PUBLIC_URL,
    dnsServers: config.DNS_SERVERS,
    requestsPerMinute: config.REQUESTS_PER_MINUTE,
  });
  const authenticate = createAuthenticate({
    keys,
    people: {
      sessions: people.requestSessions,
      memberships: createMemberships(db),
      staff: createStaffAccess({ db, audit }),
      mayAct: people.mayAct,
    },
    used: deps.keyUses.used,
    refused: audit.refused,
  });
  const usage = createUsageQueries(queries, rawTopic);
  // Kafka is told at once, and not only when the keeper looks again; where it cannot be now, the keeper goes on trying.
  const sourceChanged = async ({ native_partitions }: SourceRow): Promise<void> => {
    if (native_partitions.length === 0) return;
    await deps.producers?.keeper.now().catch((err) => log.warn({ err }, "Kafka hears later of a source's change"));
  };
  const kept = createKeptQueries(queries);
  const search = {
    ...{ untilOf: untilOf(deps.rehydrations), droppedOf: createDroppedOf(deps.retentionRules) },
    ...{ queries, topicPrefix, sourceNames },
    stores: createStores({ connections: deps.connections, servers: deps.ownServers, queries, outgoing: deps.outgoing }),
    receiptsElsewhere: createReceiptsElsewhere(deps.ownServers, config.SEARCH_SECONDS),
    ...{ searchSeconds: config.SEARCH_SECONDS, searchRows: config.SEARCH_ROWS },
  };
  return createApp({
    log,
    metrics,
    audit,
    authenticate,
    endpoints: [
      ...people.endpoints,
      ...sso.endpoints,
      ...createOrganizationEndpoints({ db, audit, defaultPlan: config.DEFAULT_PLAN }),
      ...createMemberEndpoints({ db, audit, send: createSendInvitation(deps.mailer, config.PUBLIC_URL) }),
      ...createTeamEndpoints({ db, audit }),
      ...createRoleEndpoints({ db, audit }),
      ...partners(deps, audit),
      ...createSearchEndpoints(search),
      ...createQueryEndpoints(search),
      ...createAnalysisEndpoints(search),
      ...createPatternEndpoints(search),
      ...createBacktestEndpoints(search),
      ...createRuleEndpoints({ db, audit }),
      ...createFindingEndpoints({ ...search, db }),
      ...createIncidentEndpoints({ db, audit }),
      ...createDestinationEndpoints({
        ...{ db, audit, destinations: deps.destinations, notifier: deps.notifier },
        publicUrl: config.PUBLIC_URL,
      }),
      ...createStorageEndpoints({ audit, connections: deps.connections, archiveStates: deps.archiveStates }),
      ...createClickHouseEndpoints({ audit, clickhouses: deps.clickhouses, archiveStates: deps.archiveStates }),
      ...createTailEndpoints({ ...search, hub: deps.tail, authenticate }),
      ...createExportEndpoints({ ...search, exports: onlyOfHere(deps.exports, deps.ownServers), audit, log }),
      ...createViewEndpoints({ db, audit }),
      ...createControlEndpoints({ db, audit, log, sourceChanged }),
      ...createProducerEndpoints({ db, audit, log, producers: deps.producers }),
      ...createIntakeEndpoints(config.PUBLIC_RECEIVER_URL),
      ...createVerifyEndpoints({ verify, audit, sourceNames }),
      ...createDeadEndpoints({
        audit,
        queries,
        topicPrefix,
        key: config.DEAD_LETTER_KEY,
        producer: deps.producer,
        metrics,
        log,
        schemaId: () => deps.registry.idOf("EventBatch", rawTopic),
      }),
      ...createRetentionEndpoints({
        ...{ db, audit, kept, connections: deps.connections },
        fields: createFieldQueries(search.stores),
      }),
      ...createRehydrationEndpoints({
        ...{ ...search, db, audit, kept, connections: deps.connections, states: deps.rehydrationStates },
      }),
      ...createDeletionEndpoints({
        ...{ ...search, db, audit, connections: deps.connections },
        queries: createDeletionQueries(queries, topicPrefix),
      }),
      ...createTakeoutEndpoints({
        ...{ db, audit, log, store: deps.takeouts, connections: deps.connections, days: config.TAKEOUT_DAYS },
      }),
      ...createImportEndpoints({
        ...{ db, audit, signer, log, sources: deps.sources, destinations: deps.destinations, own: deps.takeoutFolder },
        send: createSendInvitation(deps.mailer, config.PUBLIC_URL),
        sums: createImportSums(deps.exports),
        events: createEventImport({
          ...{ producer: deps.producer, topic: rawTopic, schemaId: () => deps.registry.idOf("EventBatch", rawTopic) },
          taken: (outcome, events) => metrics.imports.inc({ outcome }, events),
        }),
      }),
      ...createAuditEndpoints({ db, audit, heads, signer, log }),
      ...createStreamEndpoints({ streams: createAuditStreams(deps), audit }),
      ...createPlanEndpoints({ db, audit, usage, sourceNames, planChanged: () => deps.producers?.keeper.soon() }),
      ...createAccessEndpoints({ db, audit, sourceUse: usage.lastOf }),
    ],
    scim: sso.scim,
    securityContact: {
      contacts: config.SECURITY_CONTACT,
      expires: new Date(config.SECURITY_EXPIRES || 0),
      document: config.SECURITY_TXT,
      publicUrl: config.PUBLIC_URL,
    },
    trustedProxies: config.TRUSTED_PROXIES,
    requestsPerMinute: config.REQUESTS_PER_MINUTE,
    refusalsPerMinute: config.REFUSALS_PER_MINUTE,
  });
};

/** A way in is offered once the operator has registered this installation there. */
const socialApps = (config: AppDeps["config"]): Pick<SocialOptions, "github" | "google"> => ({
  github:
    config.GITHUB_CLIENT_ID === ""
      ? undefined
      : {
          ...{ clientId: config.GITHUB_CLIENT_ID, clientSecret: config.GITHUB_CLIENT_SECRET },
          ...{ url: config.GITHUB_URL, apiUrl: config.GITHUB_API_URL },
        },
  google:
    config.GOOGLE_CLIENT_ID === ""
      ? undefined
      : {
          ...{ clientId: config.GOOGLE_CLIENT_ID, clientSecret: config.GOOGLE_CLIENT_SECRET },
          ...{ authorizationUrl: config.GOOGLE_AUTHORIZATION_URL, tokenUrl: config.GOOGLE_TOKEN_URL },
          userinfoUrl: config.GOOGLE_USERINFO_URL,
        },
});

/** Closed unless the operator says whose signatures count. */
const partners = ({ config, db, mailer, outgoing, log }: AppDeps, audit: ReturnType<typeof createAudit>) => {
  const { SECRET_SCANNING_KEYS_URL: url, SECRET_SCANNING_KEYS: given } = config;
  if (url === "" && given === "") return [];
  const keys = createPartnerKeys({ url, given, outgoing, log });
  const notify = createLeakNotice({ db, mailer, publicUrl: config.PUBLIC_URL, log });
  return createPartnerEndpoints({ db, audit, keys, notify, log });
};
