/** Where a tenant's audit trail is sent as it grows: its streams in Postgres. A secret is shown once, when it is made. */
import { Fault, makeWebhookSecret, type Outgoing } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import type { AuditStreamTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import { type Db, lockTenant, type Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import { auditText, type By, recordAct } from "./audit-trail.ts";

export type AuditStream = Selectable<AuditStreamTable>;

export interface StreamsDeps {
  readonly db: Db;
  readonly envelope: Pick<Envelope, "seal">;
  readonly outgoing: Pick<Outgoing, "check">;
}

export const mostStreams = 10;

export const secretPlace = (tenant: string) => ({ owner: tenant, column: "audit_streams.secret" });

/** Host only: a path may be a secret of its own. */
const hostOf = (url: string): string => new URL(url).host;

const lock = async (trx: Trx, tenant: string, id: string): Promise<AuditStream> => {
  const row = await trx
    .selectFrom("audit_streams")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such stream.");
  return row;
};

const endOfChain = async (trx: Trx, tenant: string): Promise<number> =>
  (await trx.selectFrom("audit_chains").select("seq").where("tenant", "=", tenant).executeTakeFirst())?.seq ?? 0;

export interface NewStream {
  readonly name: string;
  readonly url: string;
  /** From the trail's first event, or from what comes next. */
  readonly from: "start" | "now";
}

export interface StreamChanges {
  readonly name?: string | undefined;
  readonly url?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** Each runs in a transaction of its own, with its act. Faults: `not_found`, `address_refused`, `too_many`. */
export const createAuditStreams = ({ db, envelope, outgoing }: StreamsDeps) => {
  const act = (id: string, url: string) => ({
    target: { kind: "audit_stream", id },
    details: { host: auditText(hostOf(url)) },
  });
  return {
    list: (tenant: string): Promise<AuditStream[]> =>
      db
        .selectFrom("audit_streams")
        .selectAll()
        .where("tenant", "=", tenant)
        .orderBy("created_at")
        .orderBy("id")
        .execute(),

    create: async (
      tenant: string,
      { name, url, from }: NewStream,
      by: By,
    ): Promise<{ row: AuditStream; secret: string }> => {
      outgoing.check(url);
      return db.transaction().execute(async (trx) => {
        await lockTenant(trx, tenant);
        const there = await trx.selectFrom("audit_streams").select("id").where("tenant", "=", tenant).execute();
        if (there.length >= mostStreams)
          throw new Fault("too_many", `An organization has ${mostStreams} streams at most; remove one first.`);
        const secret = makeWebhookSecret();
        const row = await trx
          .insertInto("audit_streams")
          .values({
            ...{ id: `ast_${randomBase62(12)}`, tenant, name, url },
            secret: await envelope.seal(trx, secretPlace(tenant), secret),
            cursor: from === "start" ? 0 : await endOfChain(trx, tenant),
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        await recordAct(trx, by, { tenant, action: "audit.stream_created", ...act(row.id, url) });
        return { row, secret };
      });
    },

    /** What is enabled again goes on where it stopped: nothing of the trail is left out. */
    change: async (tenant: string, id: string, { name, url, enabled }: StreamChanges, by: By): Promise<AuditStream> => {
      if (url !== undefined) outgoing.check(url);
      return db.transaction().execute(async (trx) => {
        const before = await lock(trx, tenant, id);
        const disabled =
          enabled === undefined ? {} : { disabled_at: enabled ? null : (before.disabled_at ?? new Date()) };
        const anew = enabled === true || url !== undefined ? { attempts: 0, next_at: new Date(), problem: "" } : {};
        const row = await trx
          .updateTable("audit_streams")
          .set({ name: name ?? before.name, url: url ?? before.url, ...disabled, ...anew })
          .where("id", "=", id)
          .returningAll()
          .executeTakeFirstOrThrow();
        const { target, details } = act(id, row.url);
        await recordAct(trx, by, {
          ...{ tenant, action: "audit.stream_changed", target },
          details: { ...details, enabled: row.disabled_at === null },
        });
        return row;
      });
    },

    /** For `overlapSeconds` each event is signed with both secrets. */
    rotate: async (
      tenant: string,
      id: string,
      overlapSeconds: number,
      by: By,
    ): Promise<{ row: AuditStream; secret: string }> =>
      db.transaction().execute(async (trx) => {
        const before = await lock(trx, tenant, id);
        const secret = makeWebhookSecret();
        const row = await trx
          .updateTable("audit_streams")
          .set({
            secret: await envelope.seal(trx, secretPlace(tenant), secret),
            secret_before: before.secret,
            secret_before_until: new Date(Date.now() + overlapSeconds * 1_000),
          })
          .where("id", "=", id)
          .returningAll()
          .executeTakeFirstOrThrow();
        const { target, details } = act(id, row.url);
        await recordAct(trx, by, {
          ...{ tenant, action: "audit.stream_secret_rotated", target },
          details: { ...details, overlap_seconds: overlapSeconds },
        });
        return { row, secret };
      }),

    remove: (tenant: string, id: string, by: By): Promise<void> =>
      db.transaction().execute(async (trx) => {
        const { url } = await lock(trx, tenant, id);
        await trx.deleteFrom("audit_streams").where("id", "=", id).execute();
        await recordAct(trx, by, { tenant, action: "audit.stream_removed", ...act(id, url) });
      }),
  };
};

export type AuditStreams = ReturnType<typeof createAuditStreams>;
