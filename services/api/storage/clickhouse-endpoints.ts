/** An organization's own ClickHouse servers, over HTTP. */
import { type ControlTable, Fault } from "@astralog/chassis";
import type { ArchiveStateRecord } from "@astralog/schemas";
import type { OwnMode } from "@astralog/schemas/own-clickhouse";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import { withPostgres } from "../postgres.ts";
import { archiveStatus, statesOf } from "./archive-status.ts";
import type { ClickHouseRow, ClickHouses } from "./clickhouse-connections.ts";
import {
  changedClickHouse,
  clickhouseProbeShape,
  clickhouseShape,
  clickhouseStatusShape,
  newClickHouse,
} from "./clickhouse-shapes.ts";

export interface ClickHouseEndpointsDeps {
  readonly audit: Pick<Audit, "by">;
  readonly clickhouses: ClickHouses;
  readonly archiveStates: Pick<ControlTable<ArchiveStateRecord>, "values">;
}

/** All but the password, and whose it is. */
const shown = ({ password: _, tenant: __, mode, ...row }: ClickHouseRow) => ({ ...row, mode: mode as OwnMode });

export const createClickHouseEndpoints = (deps: ClickHouseEndpointsDeps): Endpoint[] => {
  const { audit, clickhouses } = deps;
  const tag = "storage";
  const read = { access: "storage.read", tag } as const;
  const write = { access: "storage.write", tag } as const;
  const one = { success: { status: 200, body: clickhouseShape }, etag: true } as const;
  const held = (unchanged: (shown: unknown) => void) => (row: ClickHouseRow) => unchanged(shown(row));
  const statusOf = ({ id, mode, tenant }: ClickHouseRow) => {
    const states = statesOf(tenant, deps.archiveStates.values()).get(id) ?? [];
    const { objects: records, last_object_at, ...status } = archiveStatus({ id, archive: mode !== "off" }, states);
    return { ...status, records, last_stored_at: last_object_at };
  };
  /** Faults: `storage_in_use`. */
  const mayRest = (row: ClickHouseRow): void => {
    const { lag, state } = statusOf(row);
    if (row.mode !== "instead" && lag === 0 && state !== "failing") return;
    if (row.mode === "instead")
      throw new Fault(
        "storage_in_use",
        "mode: events are kept there and nowhere else. Change it to beside first; once it has caught up it can be off.",
      );
    throw new Fault(
      "storage_in_use",
      `mode: ${lag.toLocaleString("en")} records still wait for the server, and some may be kept nowhere else. Wait, or give abandon: true.`,
    );
  };
  return [
    endpoint({
      ...{ ...read, method: "get", path: "/storage/clickhouse", summary: "ClickHouse servers of one's own" },
      success: { status: 200, body: z.object({ connections: z.array(clickhouseShape) }) },
      handle: ({ caller }) =>
        withPostgres(async () => ({ connections: (await clickhouses.list(caller.tenant)).map(shown) })),
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/storage/clickhouse-status", summary: "How far each server is, and why not" },
      success: { status: 200, body: z.object({ servers: z.array(clickhouseStatusShape) }) },
      handle: ({ caller }) =>
        withPostgres(async () => ({ servers: (await clickhouses.list(caller.tenant)).map(statusOf) })),
    }),
    endpoint({
      ...{ ...read, ...one, method: "get", path: "/storage/clickhouse/:id", summary: "One server" },
      handle: ({ caller, params }) => withPostgres(async () => shown(await clickhouses.find(caller.tenant, params.id))),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/storage/clickhouse", summary: "Connect a server, when it proves fit" },
      body: newClickHouse,
      success: { status: 201, body: clickhouseShape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => {
          // What is written there is of all sources.
          mustCover(caller, { sources: "all" }, "connect a ClickHouse server");
          return shown(await clickhouses.create(caller.tenant, body, audit.by(response)));
        }),
    }),
    endpoint({
      ...{
        ...write,
        ...one,
        method: "patch",
        path: "/storage/clickhouse/:id",
        summary: "Change a server's connection",
      },
      body: changedClickHouse,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(async () => {
          mustCover(caller, { sources: "all" }, "change a ClickHouse connection");
          const by = audit.by(response);
          return shown(await clickhouses.change(caller.tenant, params.id, body, held(unchanged), mayRest, by));
        }),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/storage/clickhouse/:id/probe" },
      summary: "Ask the server for its version and the user's rights",
      success: { status: 200, body: clickhouseProbeShape },
      handle: ({ caller, params, response }) =>
        withPostgres(async () => {
          const { missing, grants, ...probe } = await clickhouses.probe(caller.tenant, params.id, audit.by(response));
          return { ...probe, missing: [...missing], grants: [...grants] };
        }),
    }),
    endpoint({
      ...{ ...write, method: "delete", path: "/storage/clickhouse/:id" },
      summary: "Disconnect a server that is off; nothing on it is deleted",
      success: { status: 204 },
      handle: ({ caller, params, unchanged, response }) =>
        withPostgres(() => clickhouses.remove(caller.tenant, params.id, held(unchanged), audit.by(response))),
    }),
  ];
};
