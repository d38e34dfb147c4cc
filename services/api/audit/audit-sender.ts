/**
 * Sends trails to their streams, while this process carries the outbox. A stream gets every event of its tenant's chain
 * from its cursor on, in order, each at least once: the cursor moves when the receiver has taken the event before. So an
 * event that is not taken holds up those behind it, in its own stream alone; the trail itself keeps them all.
 *
 * The moment a cursor is moved it must still be where it was read: of two senders at once one repeats an event at worst.
 */
import { type Log, nextTryMs, type Outgoing, tryWebhook, type WebhookOutcome } from "@astralog/chassis";
import type { AuditEvent, AuditSigner } from "@astralog/schemas";
import { whileLeading } from "../control/while-leading.ts";
import type { Db } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import { auditEventOf } from "./audit-events.ts";
import { type AuditStream, secretPlace } from "./audit-streams.ts";
import { bySystem, recordAct } from "./audit-trail.ts";

export interface SenderDeps {
  readonly db: Db;
  readonly envelope: Pick<Envelope, "open">;
  readonly outgoing: Pick<Outgoing, "fetch">;
  readonly signer: AuditSigner;
  readonly log: Log;
  leading(): boolean;
  /** Told what came of each try. */
  tried?(outcome: WebhookOutcome["kind"]): void;
}

const pollMs = 500;
const restMs = 60_000;
/** Streams that are sent to at once: one that is slow takes one place for its timeout. */
const mostAtOnce = 16;
/** Events of one stream before another has its turn. */
const eventsAtOnce = 200;

/** As Standard Webhooks asks for it: a type, a time, the data. */
const messageOf = (event: AuditEvent) => ({
  id: `audit_${event.tenant}_${event.seq}`,
  body: JSON.stringify({ type: "audit.event", timestamp: event.at, data: event }),
});

export const startAuditSender = (deps: SenderDeps): { stop(): Promise<void> } => {
  const { db, envelope, outgoing, signer, log } = deps;
  const stopped = new AbortController();
  const busy = new Map<string, Promise<void>>();

  const due = (): Promise<AuditStream[]> =>
    db
      .selectFrom("audit_streams")
      .innerJoin("audit_chains", "audit_chains.tenant", "audit_streams.tenant")
      .selectAll("audit_streams")
      .whereRef("audit_chains.seq", ">", "audit_streams.cursor")
      .where("disabled_at", "is", null)
      .where("next_at", "<=", new Date())
      .orderBy("next_at")
      .limit(mostAtOnce * 2)
      .execute();

  const secretsOf = async ({ tenant, secret, secret_before, secret_before_until }: AuditStream): Promise<string[]> => {
    const overlaps = secret_before !== null && (secret_before_until?.getTime() ?? 0) > Date.now();
    return Promise.all(
      (overlaps ? [secret, secret_before] : [secret]).map((one) => envelope.open(db, secretPlace(tenant), one)),
    );
  };

  /** Whether the stream may go on: it was still where it was read. */
  const settle = async (stream: AuditStream, seq: number, outcome: WebhookOutcome): Promise<boolean> => {
    const at = new Date();
    const mine = (trx: Db) =>
      trx.updateTable("audit_streams").where("id", "=", stream.id).where("cursor", "=", stream.cursor);
    if (outcome.kind === "taken") {
      const { numUpdatedRows } = await mine(db)
        .set({ cursor: seq, attempts: 0, next_at: at, tried_at: at, delivered_at: at, problem: "" })
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    }
    const failed = stream.attempts + 1;
    const wait = outcome.kind === "gone" ? undefined : nextTryMs(failed);
    const { problem } = outcome;
    if (wait !== undefined) {
      await mine(db)
        .set({ attempts: failed, next_at: new Date(at.getTime() + wait), tried_at: at, problem })
        .execute();
      return false;
    }
    await db.transaction().execute(async (trx) => {
      const { numUpdatedRows } = await mine(trx)
        .set({ attempts: failed, tried_at: at, problem, disabled_at: at })
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) return;
      await recordAct(trx, bySystem(signer), {
        ...{ tenant: stream.tenant, action: "audit.stream_disabled", result: "failed" },
        target: { kind: "audit_stream", id: stream.id },
        details: { problem, attempts: failed, delivered_to: stream.cursor },
      });
    });
    log.warn({ tenant: stream.tenant, stream: stream.id }, "an audit stream is disabled: its receiver takes no more");
    return false;
  };

  const send = async (from: AuditStream): Promise<void> => {
    const rows = await db
      .selectFrom("audit_events")
      .selectAll()
      .where("tenant", "=", from.tenant)
      .where("seq", ">", from.cursor)
      .orderBy("seq")
      .limit(eventsAtOnce)
      .execute();
    const secrets = await secretsOf(from);
    let stream = from;
    for (const event of rows.map(auditEventOf)) {
      const outcome = await tryWebhook(outgoing, stream.url, secrets, messageOf(event), stopped.signal);
      deps.tried?.(outcome.kind);
      // A try that the stop has cut is none.
      if (stopped.signal.aborted && outcome.kind !== "taken") return;
      if (!(await settle(stream, event.seq, outcome))) return;
      stream = { ...stream, cursor: event.seq, attempts: 0 };
    }
  };

  /** What went wrong is ours, such as a secret that does not open: no try of the receiver's, and no reason to hurry. */
  const rest = async (id: string, error: unknown): Promise<void> => {
    log.warn({ err: error, stream: id }, "an audit stream could not be sent to");
    const next_at = new Date(Date.now() + restMs);
    await db.updateTable("audit_streams").set({ next_at }).where("id", "=", id).execute();
  };

  const begin = (stream: AuditStream): void => {
    const sending = send(stream)
      .catch((error: unknown) => rest(stream.id, error))
      .catch((error: unknown) => log.warn({ err: error }, "audit streams wait for Postgres"))
      .finally(() => busy.delete(stream.id));
    busy.set(stream.id, sending);
  };

  const failed = "audit streams wait for Postgres";
  const loop = whileLeading({ everyMs: pollMs, failed, log, leading: deps.leading }, async () => {
    const free = (await due()).filter(({ id }) => !busy.has(id));
    free.slice(0, mostAtOnce - busy.size).forEach(begin);
  });
  return {
    stop: async () => {
      stopped.abort();
      await loop.stop();
      await Promise.all(busy.values());
    },
  };
};
