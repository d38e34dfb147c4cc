/**
 * Tenants' own buckets in Postgres. A bucket's secret key is sealed there for its tenant, and goes sealed anew, under the
 * key that api and archive share, into control.storage: archiving needs no Postgres, and neither place shows the key.
 */
import {
  type Bucket,
  createBucket,
  encryptedAs,
  Fault,
  type KeySource,
  type ProbeResult,
  probeBucket,
  type Storage,
} from "@astralog/chassis";
import { randomBase62, type StorageConnectionRecord } from "@astralog/schemas";
import {
  archiveFolder,
  type StorageConnection,
  type StorageSecrets,
  type StorageSettings,
  storageBound,
} from "@astralog/schemas/storage";
import type { z } from "zod";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceStorage } from "../control/outbox.ts";
import { checkFeature } from "../plans/plan-inputs.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, lockTenant, named, type Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import { makeClientKey, type NewClientKey, readClientKeys, withClientKey } from "./client-keys.ts";
import { type ConnectionRow, find, isEncrypted, settingsOf } from "./connection-rows.ts";
import { type changedConnection, type newConnection, placeOf } from "./storage-shapes.ts";

export interface ConnectionsDeps {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly storage: Storage;
  /** Whom customers' roles must trust; empty: roles are not taken. */
  readonly principal: string;
}

const mostConnections = 10;
/** What is written from here is small, and somebody waits for it. */
const timeoutMs = 10_000;
const secretPlace = (tenant: string) => ({ owner: tenant, column: "storage_connections.secret_access_key" });

export const createConnections = ({ db, envelope, storage, principal }: ConnectionsDeps) => {
  const secretsOf = async (of: Db | Trx, row: ConnectionRow): Promise<StorageSecrets> => ({
    access_key_id: row.access_key_id,
    secret_access_key: await envelope.open(of, secretPlace(row.tenant), row.secret_access_key),
    ...(isEncrypted(row) ? { client_keys: await readClientKeys(envelope, of, row) } : {}),
  });

  const connectionOf = async (of: Db | Trx, row: ConnectionRow): Promise<StorageConnection> => {
    const { id, tenant } = row;
    const bound = { id, tenant, client_encryption: isEncrypted(row) };
    return {
      ...{ ...bound, name: row.name, archive: row.archive, version: row.version, ...settingsOf(row) },
      retention_days: row.retention_days,
      sealed: storage.sealer.seal(storageBound(bound), JSON.stringify(await secretsOf(of, row))),
    };
  };

  const announce = async (trx: Trx, row: ConnectionRow): Promise<void> =>
    announceStorage(trx, row.tenant, row.id, {
      ...{ tenant: row.tenant, connection: row.id, definition: JSON.stringify(await connectionOf(trx, row)) },
    });

  /** What opens it, keys or a session of the role, taken when it is used; and what its objects are encrypted under. */
  const opened = async (row: ConnectionRow) => {
    const { client_keys: clientKeys = [], ...keys } = await secretsOf(db, row);
    return { keys: storage.roles.sourceOf(row.tenant, settingsOf(row), keys), clientKeys };
  };

  const bucketOf = (
    id: string,
    settings: StorageSettings,
    { keys, clientKeys }: { keys: KeySource; clientKeys: readonly string[] },
    most = timeoutMs,
  ): Bucket => {
    const bucket = createBucket({
      ...{ settings, keys, outgoing: storage.outgoing, timeoutMs: most },
      folder: archiveFolder({ prefix: settings.prefix, id }),
    });
    return clientKeys.length === 0 ? bucket : encryptedAs(bucket, clientKeys);
  };

  const probe = (...of: Parameters<typeof bucketOf>): Promise<ProbeResult> => probeBucket(bucketOf(...of));

  /** Faults: `storage_unfit`, which says what is lacking. */
  const mustFit = async (...of: Parameters<typeof probe>): Promise<void> => {
    const { ok, problem } = await probe(...of);
    if (!ok) throw new Fault("storage_unfit", `The bucket cannot be used. ${problem}`);
  };

  const act = (
    trx: Trx,
    by: By,
    row: ConnectionRow,
    action: `storage.connection_${"created" | "changed" | "client_key_renewed" | "probed" | "removed"}`,
    details: Record<string, boolean | string> = {},
  ) =>
    recordAct(trx, by, {
      ...{ tenant: row.tenant, action, target: { kind: "storage_connection", id: row.id } },
      details: {
        ...{ name: row.name, kind: row.kind, bucket: row.bucket, archive: row.archive, role_arn: row.role_arn },
        retention_days: row.retention_days,
        // Empty: its objects are not encrypted here.
        client_key: row.client_key_ids[0]?.id ?? "",
        ...details,
      },
    });

  return {
    principal,
    list: (tenant: string): Promise<ConnectionRow[]> =>
      db
        .selectFrom("storage_connections")
        .selectAll()
        .where("tenant", "=", tenant)
        .orderBy("created_at")
        .orderBy("id")
        .execute(),
    find: (tenant: string, id: string) => find(db, tenant, id),
    /** Of all organizations. */
    all: (): Promise<ConnectionRow[]> => db.selectFrom("storage_connections").selectAll().orderBy("id").execute(),
    /** For whom ClickHouse reads there. */
    access: async (row: ConnectionRow) => ({ settings: settingsOf(row), keys: (await opened(row)).keys }),
    /** What lies in the connection's own folder, as it was before it was encrypted. */
    open: async (row: ConnectionRow, most?: number): Promise<Bucket> =>
      bucketOf(row.id, settingsOf(row), await opened(row), most),

    /**
     * Probed before it is kept. A key that was made here is told this once. Faults: `over_plan`, `storage_unfit`,
     * `address_refused`, `too_many`, `name_taken`.
     */
    create: async (
      tenant: string,
      given: z.output<typeof newConnection>,
      by: By,
    ): Promise<{ row: ConnectionRow; shown: NewClientKey["shown"] }> => {
      checkFeature(await readPlan(db, tenant), "own_storage");
      const { access_key_id = "", secret_access_key = "", client_encryption, client_key, ...rest } = given;
      const made = client_encryption ? makeClientKey(client_key) : undefined;
      const place = placeOf(given);
      const endpoint = new URL(place.endpoint).origin;
      storage.outgoing.check(endpoint);
      const settings = { ...rest, role_arn: given.role_arn ?? "", region: place.region, endpoint };
      if (settings.role_arn !== "" && principal === "")
        throw new Fault(
          "invalid_request",
          "role_arn: this installation takes no roles; its operator has to set STORAGE_AWS_PRINCIPAL.",
        );
      const id = `sto_${randomBase62(12)}`;
      await mustFit(id, settings, {
        keys: storage.roles.sourceOf(tenant, settings, { access_key_id, secret_access_key }),
        clientKeys: made === undefined ? [] : [made.key],
      });
      return named("storage connection", given.name, () =>
        db.transaction().execute(async (trx) => {
          await lockTenant(trx, tenant);
          const there = await trx.selectFrom("storage_connections").select("id").where("tenant", "=", tenant).execute();
          if (there.length >= mostConnections)
            throw new Fault("too_many", `An organization has ${mostConnections} storage connections at most.`);
          const none = { tenant, client_keys: "", client_key_ids: [] };
          const row = await trx
            .insertInto("storage_connections")
            .values({
              ...{ id, tenant, ...settings, access_key_id },
              ...(made === undefined ? {} : await withClientKey(envelope, trx, none, made)),
              secret_access_key: await envelope.seal(trx, secretPlace(tenant), secret_access_key),
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          await announce(trx, row);
          await act(trx, by, row, "storage.connection_created");
          return { row, shown: made?.shown };
        }),
      );
    },

    /** New objects are encrypted under another key; what is there stays readable. Faults: `invalid_request`, `too_many`. */
    renewClientKey: (tenant: string, id: string, given: string | undefined, by: By) =>
      db.transaction().execute(async (trx) => {
        const before = await find(trx, tenant, id, true);
        if (!isEncrypted(before))
          throw new Fault(
            "invalid_request",
            "This connection has no client-side encryption, which is chosen when a bucket is connected; connect it once more with client_encryption.",
          );
        const made = makeClientKey(given);
        const row = await trx
          .updateTable("storage_connections")
          .set({
            ...(await withClientKey(envelope, trx, before, made)),
            ...{ version: before.version + 1, updated_at: new Date() },
          })
          .where("id", "=", id)
          .returningAll()
          .executeTakeFirstOrThrow();
        await announce(trx, row);
        await act(trx, by, row, "storage.connection_client_key_renewed", { given: made.known.given });
        return { row, shown: made.shown };
      }),

    /** New keys are probed before they replace others. Faults besides: `over_plan`, where what was paused is to go on. */
    change: async (
      tenant: string,
      id: string,
      given: z.output<typeof changedConnection>,
      unchanged: (row: ConnectionRow) => void,
      by: By,
    ): Promise<ConnectionRow> => {
      const { access_key_id, secret_access_key, ...rest } = given;
      const fresh = access_key_id !== undefined && secret_access_key !== undefined;
      if (fresh) {
        const before = await find(db, tenant, id);
        // Keys end a role.
        const keys = { access_key_id, secret_access_key };
        const { clientKeys } = await opened(before);
        await mustFit(id, { ...settingsOf(before), role_arn: "" }, { keys: () => Promise.resolve(keys), clientKeys });
      }
      return named("storage connection", given.name, () =>
        db.transaction().execute(async (trx) => {
          const before = await find(trx, tenant, id, true);
          unchanged(before);
          if (rest.archive === true && !before.archive) checkFeature(await readPlan(trx, tenant), "own_storage");
          const sealed = fresh
            ? {
                access_key_id,
                role_arn: "",
                secret_access_key: await envelope.seal(trx, secretPlace(tenant), secret_access_key),
                problem: "",
                probed_at: new Date(),
              }
            : {};
          const row = await trx
            .updateTable("storage_connections")
            .set({
              ...{ name: rest.name ?? before.name, archive: rest.archive ?? before.archive, ...sealed },
              retention_days: rest.retention_days === undefined ? before.retention_days : rest.retention_days,
              ...{ version: before.version + 1, updated_at: new Date() },
            })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirstOrThrow();
          await announce(trx, row);
          await act(trx, by, row, "storage.connection_changed", { keys: fresh });
          return row;
        }),
      );
    },

    probe: async (tenant: string, id: string, by: By): Promise<ProbeResult> => {
      const row = await find(db, tenant, id);
      const result = await probe(id, settingsOf(row), await opened(row));
      await db.transaction().execute(async (trx) => {
        await trx
          .updateTable("storage_connections")
          .set({ problem: result.problem, probed_at: new Date() })
          .where("id", "=", id)
          .execute();
        await act(trx, by, row, "storage.connection_probed", { ok: result.ok, lacking: result.lacking ?? "" });
      });
      return result;
    },

    /** What lies in the bucket stays: it is its owner's. */
    remove: (tenant: string, id: string, unchanged: (row: ConnectionRow) => void, by: By): Promise<void> =>
      db.transaction().execute(async (trx) => {
        const row = await find(trx, tenant, id, true);
        unchanged(row);
        await trx.deleteFrom("storage_connections").where("id", "=", id).execute();
        await announceStorage(trx, tenant, id, null);
        await act(trx, by, row, "storage.connection_removed");
      }),

    /** What the control topic should say, in the form of `asVersion`. */
    versions: async (): Promise<StorageConnectionRecord[]> =>
      (await db.selectFrom("storage_connections").select(["tenant", "id", "version"]).execute()).map((row) => ({
        ...{ tenant: row.tenant, connection: row.id, definition: String(row.version) },
      })),

    /** Says one again that the control topic does not know as it is. */
    announce: async (trx: Trx, tenant: string, id: string): Promise<void> => {
      const known = await trx.selectFrom("storage_connections").select("id").where("id", "=", id).executeTakeFirst();
      if (known !== undefined) await announce(trx, await find(trx, tenant, id, true));
    },

    /** Says all of them again, sealed under the present STORAGE_KEY; for when it was changed. */
    announceAll: async (): Promise<number> => {
      const rows = await db.selectFrom("storage_connections").select(["id", "tenant"]).execute();
      for (const { id, tenant } of rows)
        await db.transaction().execute(async (trx) => announce(trx, await find(trx, tenant, id, true)));
      return rows.length;
    },
  };
};

export type Connections = ReturnType<typeof createConnections>;
