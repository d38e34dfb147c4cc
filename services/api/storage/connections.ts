/**
 * Tenants' own buckets in Postgres. A bucket's secret key is sealed there for its tenant, and goes sealed anew, under the
 * key that api and archive share, into control.storage: archiving needs no Postgres, and neither place shows the key.
 */
import {
  type Bucket,
  createBucket,
  Fault,
  type KeySource,
  type ProbeResult,
  probeBucket,
  type Storage,
} from "@astralog/chassis";
import { randomBase62, type StorageConnectionRecord } from "@astralog/schemas";
import type { StorageConnectionTable } from "@astralog/schemas/postgres";
import {
  archiveFolder,
  type ServerEncryption,
  type StorageConnection,
  type StorageKeys,
  type StorageKind,
  type StorageSettings,
  storageBound,
} from "@astralog/schemas/storage";
import type { Selectable } from "kysely";
import type { z } from "zod";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceStorage } from "../control/outbox.ts";
import { checkFeature } from "../plans/plan-inputs.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, lockTenant, named, type Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import type { changedConnection, newConnection } from "./storage-shapes.ts";

export type ConnectionRow = Selectable<StorageConnectionTable>;

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

const settingsOf = (row: ConnectionRow): StorageSettings => ({
  ...{ kind: row.kind as StorageKind, endpoint: row.endpoint, region: row.region, bucket: row.bucket },
  ...{ prefix: row.prefix, encryption: row.encryption as ServerEncryption, kms_key: row.kms_key },
  role_arn: row.role_arn,
});

/** The address of a kind's servers, where it is known. Faults: `invalid_request`. */
const placeOf = ({ kind, endpoint, region }: z.output<typeof newConnection>): { endpoint: string; region: string } => {
  if (kind === "s3") {
    if (region === undefined)
      throw new Fault("invalid_request", "region: s3 needs the bucket's, such as eu-central-1.");
    return { endpoint: endpoint ?? `https://s3.${region}.amazonaws.com`, region };
  }
  if (kind === "gcs") return { endpoint: endpoint ?? "https://storage.googleapis.com", region: region ?? "auto" };
  if (endpoint === undefined)
    throw new Fault("invalid_request", `endpoint: ${kind} needs one, such as https://s3.example.com.`);
  return { endpoint, region: region ?? (kind === "r2" ? "auto" : "us-east-1") };
};

const find = async (db: Db | Trx, tenant: string, id: string, locked = false): Promise<ConnectionRow> => {
  const row = await db
    .selectFrom("storage_connections")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .$if(locked, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such storage connection.");
  return row;
};

/**
 * A record as far as it can be compared: what it seals differs each time it is sealed, and each change has a version. What
 * cannot be read differs from everything.
 */
export const asVersion = ({ tenant, connection, definition }: StorageConnectionRecord): StorageConnectionRecord => {
  try {
    return { tenant, connection, definition: String((JSON.parse(definition) as StorageConnection).version) };
  } catch {
    return { tenant, connection, definition: "" };
  }
};

export const createConnections = ({ db, envelope, storage, principal }: ConnectionsDeps) => {
  const keysOf = async (of: Db | Trx, row: ConnectionRow): Promise<StorageKeys> => ({
    access_key_id: row.access_key_id,
    secret_access_key: await envelope.open(of, secretPlace(row.tenant), row.secret_access_key),
  });

  const connectionOf = async (of: Db | Trx, row: ConnectionRow): Promise<StorageConnection> => ({
    ...{ id: row.id, tenant: row.tenant, name: row.name, archive: row.archive, version: row.version },
    retention_days: row.retention_days,
    ...settingsOf(row),
    sealed: storage.sealer.seal(storageBound(row.tenant, row.id), JSON.stringify(await keysOf(of, row))),
  });

  const announce = async (trx: Trx, row: ConnectionRow): Promise<void> =>
    announceStorage(trx, row.tenant, row.id, {
      ...{ tenant: row.tenant, connection: row.id, definition: JSON.stringify(await connectionOf(trx, row)) },
    });

  /** Keys, or a session of the role; both taken when they are used. */
  const sourceOf = async (row: ConnectionRow): Promise<KeySource> =>
    storage.roles.sourceOf(row.tenant, settingsOf(row), await keysOf(db, row));

  const bucketOf = (id: string, settings: StorageSettings, keys: KeySource): Bucket =>
    createBucket({
      ...{ settings, keys, outgoing: storage.outgoing, timeoutMs },
      folder: archiveFolder({ prefix: settings.prefix, id }),
    });

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
    action: `storage.connection_${"created" | "changed" | "probed" | "removed"}`,
    details: Record<string, boolean | string> = {},
  ) =>
    recordAct(trx, by, {
      ...{ tenant: row.tenant, action, target: { kind: "storage_connection", id: row.id } },
      details: {
        name: row.name,
        kind: row.kind,
        bucket: row.bucket,
        archive: row.archive,
        role_arn: row.role_arn,
        retention_days: row.retention_days,
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
    access: async (row: ConnectionRow) => ({ settings: settingsOf(row), keys: await sourceOf(row) }),
    /** What lies in the connection's own folder. */
    open: async (row: ConnectionRow): Promise<Bucket> => bucketOf(row.id, settingsOf(row), await sourceOf(row)),

    /** Probed before it is kept. Faults: `over_plan`, `storage_unfit`, `address_refused`, `too_many`, `name_taken`. */
    create: async (tenant: string, given: z.output<typeof newConnection>, by: By): Promise<ConnectionRow> => {
      checkFeature(await readPlan(db, tenant), "own_storage");
      const { access_key_id = "", secret_access_key = "", ...rest } = given;
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
      await mustFit(id, settings, storage.roles.sourceOf(tenant, settings, { access_key_id, secret_access_key }));
      return named("storage connection", given.name, () =>
        db.transaction().execute(async (trx) => {
          await lockTenant(trx, tenant);
          const there = await trx.selectFrom("storage_connections").select("id").where("tenant", "=", tenant).execute();
          if (there.length >= mostConnections)
            throw new Fault("too_many", `An organization has ${mostConnections} storage connections at most.`);
          const row = await trx
            .insertInto("storage_connections")
            .values({
              ...{ id, tenant, ...settings, access_key_id },
              secret_access_key: await envelope.seal(trx, secretPlace(tenant), secret_access_key),
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          await announce(trx, row);
          await act(trx, by, row, "storage.connection_created");
          return row;
        }),
      );
    },

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
        await mustFit(id, { ...settingsOf(before), role_arn: "" }, () => Promise.resolve(keys));
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
      const result = await probe(id, settingsOf(row), await sourceOf(row));
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
