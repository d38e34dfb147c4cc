import { run } from "@astralog/chassis";
import { topics } from "@astralog/schemas";
import { endExpired } from "./access/grants.ts";
import { forgetAlerts } from "./alerts/forget.ts";
import { buildApp } from "./app.ts";
import { startAuditAnchor } from "./audit/audit-anchor.ts";
import { startAuditSender } from "./audit/audit-sender.ts";
import { bySystem } from "./audit/audit-trail.ts";
import { shape } from "./config.ts";
import { connect } from "./connect.ts";
import { startRelay } from "./control/outbox-relay.ts";
import { createReconcile } from "./control/reconcile.ts";
import { whileLeading } from "./control/while-leading.ts";
import { listen } from "./http/server.ts";
import { startAnnouncer } from "./plans/usage-announcer.ts";
import { createUsageQueries } from "./plans/usage-queries.ts";
import { createCertify } from "./retention/certify.ts";
import { createDeletionQueries } from "./retention/deletion-queries.ts";
import { endRehydrations } from "./retention/rehydrations.ts";
import { createTakeoutEvents } from "./takeout/takeout-events.ts";
import { startTakeouts } from "./takeout/takeout-run.ts";
import { rawTopicsOf } from "./verify/raw-topics.ts";

run({
  service: "api",
  shape,
  start: async (context) => {
    const { config, log, onStop } = context;
    const connections = await connect(context);
    const relay = startRelay({
      ...connections,
      url: config.POSTGRES_URL,
      ready: () => connections.heads.complete,
      admits: connections.heads.admits,
      reconcile: createReconcile(connections),
    });
    onStop("outbox", relay.stop);
    const announcer = startAnnouncer({
      ...connections,
      queries: createUsageQueries(connections.queries, connections.kafka.name(topics.raw.name)),
      leading: () => relay.leading,
    });
    onStop("usage", announcer.stop);
    const sender = startAuditSender({
      ...connections,
      leading: () => relay.leading,
      tried: (outcome) => connections.metrics.auditDeliveries.inc({ outcome }),
    });
    onStop("audit streams", sender.stop);
    const anchor = startAuditAnchor({
      ...connections,
      publicKey: connections.signer.publicKey,
      leading: () => relay.leading,
      anchored: (outcome) => connections.metrics.auditAnchors.inc({ outcome }),
    });
    onStop("audit heads in buckets", anchor.stop);
    const sweep = whileLeading(
      {
        ...{ everyMs: 15_000, log, leading: () => relay.leading },
        failed: "access that has run out could not be told to its organization",
      },
      () => endExpired(connections.db, bySystem(connections.signer)),
    );
    onStop("access", sweep.stop);
    const forgetting = whileLeading(
      {
        ...{ everyMs: 3_600_000, log, leading: () => relay.leading },
        failed: "the history of alerts that is long over could not be removed yet",
      },
      () => forgetAlerts(connections.db, new Date(Date.now() - config.ALERT_HISTORY_DAYS * 86_400_000)),
    );
    onStop("history of alerts", forgetting.stop);
    const certify = createCertify({
      ...{ db: connections.db, signer: connections.signer, log },
      queries: createDeletionQueries(connections.queries, config.KAFKA_TOPIC_PREFIX),
    });
    const certifying = whileLeading(
      { everyMs: 1_000, log, leading: () => relay.leading, failed: "deletions could not be looked through" },
      certify,
    );
    onStop("certificates", certifying.stop);
    const ending = whileLeading(
      { everyMs: 5_000, log, leading: () => relay.leading, failed: "what came back from buckets could not be ended" },
      () =>
        endRehydrations(
          connections.db,
          ({ tenant, id }) => connections.rehydrationStates.get(`${tenant}/${id}`) !== undefined,
          bySystem(connections.signer),
        ),
    );
    onStop("rehydrations", ending.stop);
    const takeouts = startTakeouts({
      ...{ db: connections.db, signer: connections.signer, heads: connections.heads, log },
      ...{ positions: connections.positions, sinkGroup: config.SINK_GROUP, store: connections.takeouts },
      rawTopics: (tenant) => rawTopicsOf(tenant, connections.sources.values(), config.REDACTOR_GROUP),
      events: createTakeoutEvents(connections.exports, config.KAFKA_TOPIC_PREFIX),
      partEvents: config.TAKEOUT_PART_EVENTS,
      wrote: ({ kind, bytes }) => {
        connections.metrics.takeoutFiles.inc({ kind });
        connections.metrics.takeoutBytes.inc(bytes);
      },
    });
    onStop("takeouts", takeouts.stop);
    const server = await listen(buildApp(connections), config.HTTP_HOST, config.HTTP_PORT);
    onStop("http", server.close);
    // Before the server waits for its last answers: a tail's answer has no end of its own.
    onStop("tail", connections.tail.close);
    log.info({ port: server.port }, "listening");
  },
});
