/**
 * Tenants' own ClickHouse servers in Postgres. A password is sealed there for its tenant, and goes sealed anew, under the key
 * that api and archive share, into control.clickhouse: who writes and who searches there need no Postgres.
 */
import { createRemoteClickHouse, Fault, remoteSettings, remoteTrouble, type Storage } from "@astralog/chassis";
import { randomBase62, type StorageConnectionRecord } from "@astralog/schemas";
import { migrateOwn } from "@astralog/schemas/clickhouse";
import {
  type OwnClickHouse,
  type OwnClickHouseSettings,
  type OwnMode,
  ownClickHouseBound,
} from "@astralog/schemas/own-clickhouse";
import type { ClickHouseConnectionTable } from "@astralog/schemas/postgres";
import type { Selectable } from "kysely";
import type { z } from "zod";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceClickHouse } from "../control/outbox.ts";
import { checkFeature } from "../plans/plan-inputs.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { type Db, lockTenant, named, type Trx } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import { type ClickHouseProbe, probeClickHouse } from "./clickhouse-probe.ts";
import type { changedClickHouse, newClickHouse } from "./clickhouse-shapes.ts";

export type ClickHouseRow = Selectable<ClickHouseConnectionTable>;

export interface ClickHousesDeps {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly storage: Storage;
}

const mostConnections = 5;
const secretPlace = (tenant: string) => ({ owner: tenant, column: "clickhouse_connections.password" });

const settingsOf = ({ url, username, database, cluster }: OwnClickHouseSettings): OwnClickHouseSettings => ({
  ...{ url, username, database, cluster },
});

const find = async (db: Db | Trx, tenant: string, id: string, locked = false): Promise<ClickHouseRow> => {
  const row = await db
    .selectFrom("clickhouse_connections")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .$if(locked, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such ClickHouse connection.");
  return row;
};

export const createClickHouses = ({ db, envelope, storage }: ClickHousesDeps) => {
  const passwordOf = (of: Db | Trx, row: ClickHouseRow): Promise<string> =>
    envelope.open(of, secretPlace(row.tenant), row.password);

  const announce = async (trx: Trx, row: ClickHouseRow): Promise<void> => {
    const { id, tenant, name, version } = row;
    const sealed = storage.sealer.seal(ownClickHouseBound(tenant, id), await passwordOf(trx, row));
    const definition: OwnClickHouse = {
      id,
      tenant,
      name,
      version,
      mode: row.mode as OwnMode,
      ...settingsOf(row),
      sealed,
    };
    await announceClickHouse(trx, tenant, id, { tenant, connection: id, definition: JSON.stringify(definition) });
  };

  const serverOf = (settings: OwnClickHouseSettings, password: string) =>
    createRemoteClickHouse(storage.outgoing, { ...settings, password }, remoteSettings(settings));

  /** Faults: `storage_unfit`, which says what is lacking. */
  const prepare = async (settings: OwnClickHouseSettings, password: string): Promise<ClickHouseProbe> => {
    const server = serverOf(settings, password);
    const probed = await probeClickHouse(server, settings);
    if (!probed.ok) throw new Fault("storage_unfit", `The ClickHouse server cannot be used. ${probed.problem}`);
    const command = (sql: string) => server.command(sql, {});
    await migrateOwn({ command, rows: (sql) => server.rows(sql, {}) }, settings).catch((error: unknown) => {
      const { detail } = remoteTrouble(error);
      throw new Fault("storage_unfit", `Astralog's tables could not be made on the server. ${detail}`, {
        cause: error,
      });
    });
    return probed;
  };

  const mustBeOnlyHome = async (trx: Trx, tenant: string, id: string): Promise<void> => {
    const other = await trx
      .selectFrom("clickhouse_connections")
      .select("name")
      .where("tenant", "=", tenant)
      .where("mode", "=", "instead")
      .where("id", "!=", id)
      .executeTakeFirst();
    if (other !== undefined)
      throw new Fault(
        "invalid_request",
        `mode: events are kept on "${other.name}" instead of Astralog already; change that one to beside first.`,
      );
  };

  const act = (
    trx: Trx,
    by: By,
    row: ClickHouseRow,
    action: `storage.connection_${"created" | "changed" | "probed" | "removed"}`,
    details: Record<string, boolean | string> = {},
  ) =>
    recordAct(trx, by, {
      ...{ tenant: row.tenant, action, target: { kind: "storage_connection", id: row.id } },
      details: { name: row.name, kind: "clickhouse", url: row.url, database: row.database, mode: row.mode, ...details },
    });

  return {
    list: (tenant: string): Promise<ClickHouseRow[]> =>
      db
        .selectFrom("clickhouse_connections")
        .selectAll()
        .where("tenant", "=", tenant)
        .orderBy("created_at")
        .orderBy("id")
        .execute(),
    find: (tenant: string, id: string) => find(db, tenant, id),

    /** Probed, and our tables made there, before it is kept. Faults: `over_plan`, `storage_unfit`, `address_refused`, `too_many`, `name_taken`. */
    create: async (tenant: string, given: z.output<typeof newClickHouse>, by: By): Promise<ClickHouseRow> => {
      checkFeature(await readPlan(db, tenant), "own_storage");
      const url = new URL(given.url).origin;
      storage.outgoing.check(url);
      const settings = settingsOf({ ...given, url });
      const { server_version } = await prepare(settings, given.password);
      const id = `sto_${randomBase62(12)}`;
      return named("ClickHouse connection", given.name, () =>
        db.transaction().execute(async (trx) => {
          await lockTenant(trx, tenant);
          const there = await trx
            .selectFrom("clickhouse_connections")
            .select(["id", "name", "url", "database"])
            .where("tenant", "=", tenant)
            .execute();
          const twin = there.find((one) => one.url === url && one.database === given.database);
          if (twin !== undefined)
            throw new Fault("invalid_request", `database: it is connected already, as "${twin.name}".`);
          if (there.length >= mostConnections)
            throw new Fault("too_many", `An organization has ${mostConnections} ClickHouse connections at most.`);
          if (given.mode === "instead") await mustBeOnlyHome(trx, tenant, id);
          const row = await trx
            .insertInto("clickhouse_connections")
            .values({
              ...{ id, tenant, name: given.name, mode: given.mode, server_version, ...settings },
              password: await envelope.seal(trx, secretPlace(tenant), given.password),
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          await announce(trx, row);
          await act(trx, by, row, "storage.connection_created");
          return row;
        }),
      );
    },

    /** New access is probed before it replaces other. `mayRest`: throws where events that are nowhere else still wait for it. */
    change: async (
      tenant: string,
      id: string,
      given: z.output<typeof changedClickHouse>,
      unchanged: (row: ClickHouseRow) => void,
      mayRest: (row: ClickHouseRow) => void,
      by: By,
    ): Promise<ClickHouseRow> => {
      const { password, username, abandon = false } = given;
      const probed =
        password === undefined
          ? undefined
          : await find(db, tenant, id).then((row) =>
              prepare(settingsOf({ ...row, username: username ?? row.username }), password),
            );
      return named("ClickHouse connection", given.name, () =>
        db.transaction().execute(async (trx) => {
          const before = await find(trx, tenant, id, true);
          unchanged(before);
          const mode = given.mode ?? before.mode;
          if (before.mode === "off" && mode !== "off") checkFeature(await readPlan(trx, tenant), "own_storage");
          if (mode === "off" && before.mode !== "off" && !abandon) mayRest(before);
          if (mode === "instead") await mustBeOnlyHome(trx, tenant, id);
          const access =
            password === undefined || probed === undefined
              ? {}
              : {
                  password: await envelope.seal(trx, secretPlace(tenant), password),
                  username: username ?? before.username,
                  ...{ problem: "", probed_at: new Date(), server_version: probed.server_version },
                };
          const row = await trx
            .updateTable("clickhouse_connections")
            .set({
              ...{ name: given.name ?? before.name, mode, ...access },
              ...{ version: before.version + 1, updated_at: new Date() },
            })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirstOrThrow();
          await announce(trx, row);
          const details = { mode_before: before.mode, password: password !== undefined, abandoned: abandon };
          await act(trx, by, row, "storage.connection_changed", details);
          return row;
        }),
      );
    },

    probe: async (tenant: string, id: string, by: By): Promise<ClickHouseProbe> => {
      const row = await find(db, tenant, id);
      const result = await probeClickHouse(serverOf(settingsOf(row), await passwordOf(db, row)), row);
      await db.transaction().execute(async (trx) => {
        const { problem, server_version } = result;
        await trx
          .updateTable("clickhouse_connections")
          .set({ problem, probed_at: new Date(), ...(server_version === "" ? {} : { server_version }) })
          .where("id", "=", id)
          .execute();
        await act(trx, by, row, "storage.connection_probed", { ok: result.ok, lacking: result.missing.join(", ") });
      });
      return result;
    },

    /** What lies on the server stays: it is its owner's. Nothing may be written there any more. */
    remove: (tenant: string, id: string, unchanged: (row: ClickHouseRow) => void, by: By): Promise<void> =>
      db.transaction().execute(async (trx) => {
        const row = await find(trx, tenant, id, true);
        unchanged(row);
        if (row.mode !== "off")
          throw new Fault("storage_in_use", "Events are written there: change its mode to off first.");
        await trx.deleteFrom("clickhouse_connections").where("id", "=", id).execute();
        await announceClickHouse(trx, tenant, id, null);
        await act(trx, by, row, "storage.connection_removed");
      }),

    /** What the control topic should say, in the form of `asVersion`. */
    versions: async (): Promise<StorageConnectionRecord[]> =>
      (await db.selectFrom("clickhouse_connections").select(["tenant", "id", "version"]).execute()).map((row) => ({
        ...{ tenant: row.tenant, connection: row.id, definition: String(row.version) },
      })),

    /** Says one again that the control topic does not know as it is. */
    announce: async (trx: Trx, tenant: string, id: string): Promise<void> => {
      const known = await trx.selectFrom("clickhouse_connections").select("id").where("id", "=", id).executeTakeFirst();
      if (known !== undefined) await announce(trx, await find(trx, tenant, id, true));
    },

    /** Says all of them again, sealed under the present STORAGE_KEY; for when it was changed. */
    announceAll: async (): Promise<number> => {
      const rows = await db.selectFrom("clickhouse_connections").select(["id", "tenant"]).execute();
      for (const { id, tenant } of rows)
        await db.transaction().execute(async (trx) => announce(trx, await find(trx, tenant, id, true)));
      return rows.length;
    },
  };
};

export type ClickHouses = ReturnType<typeof createClickHouses>;
