/** An organization's own buckets, over HTTP. */
import type { ControlTable } from "@astralog/chassis";
import type { ArchiveStateRecord } from "@astralog/schemas";
import { type ServerEncryption, type StorageKind, trustPolicy } from "@astralog/schemas/storage";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import { withPostgres } from "../postgres.ts";
import { archiveStatus, archiveStatusShape, statesOf } from "./archive-status.ts";
import { type ConnectionRow, isEncrypted } from "./connection-rows.ts";
import type { Connections } from "./connections.ts";
import {
  changedConnection,
  connectionShape,
  identityShape,
  keyedConnectionShape,
  newClientKeyShape,
  newConnection,
  probeShape,
} from "./storage-shapes.ts";

export interface StorageEndpointsDeps {
  readonly audit: Pick<Audit, "by">;
  readonly connections: Connections;
  readonly archiveStates: Pick<ControlTable<ArchiveStateRecord>, "values">;
}

/** All but the secrets, and whose it is. */
const shown = (row: ConnectionRow) => {
  const { secret_access_key: _, tenant: __, client_keys: ___, client_key_ids, kind, encryption, ...rest } = row;
  return {
    ...{ ...rest, kind: kind as StorageKind, encryption: encryption as ServerEncryption },
    ...{ client_encryption: isEncrypted(row), client_keys: [...client_key_ids] },
  };
};

const keyed = ({ row, shown: key }: { row: ConnectionRow; shown: string | undefined }) => ({
  ...shown(row),
  ...(key === undefined ? {} : { client_key: key }),
});

export const createStorageEndpoints = ({ audit, connections, archiveStates }: StorageEndpointsDeps): Endpoint[] => {
  const tag = "storage";
  const read = { access: "storage.read", tag } as const;
  const write = { access: "storage.write", tag } as const;
  const one = { success: { status: 200, body: connectionShape }, etag: true } as const;
  const held = (unchanged: (shown: unknown) => void) => (row: ConnectionRow) => unchanged(shown(row));
  return [
    endpoint({
      ...{ ...read, method: "get", path: "/storage/connections", summary: "Buckets of one's own" },
      success: { status: 200, body: z.object({ connections: z.array(connectionShape) }) },
      handle: ({ caller }) =>
        withPostgres(async () => ({ connections: (await connections.list(caller.tenant)).map(shown) })),
    }),
    endpoint({
      ...{ ...read, ...one, method: "get", path: "/storage/connections/:id", summary: "One bucket" },
      handle: ({ caller, params }) => withPostgres(async () => shown(await connections.find(caller.tenant, params.id))),
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/storage/identity", summary: "Whom a role must trust that opens a bucket" },
      success: { status: 200, body: identityShape },
      handle: ({ caller: { tenant } }) => {
        const { principal } = connections;
        const none = principal === "";
        return {
          ...{ principal: none ? null : principal, external_id: tenant },
          trust_policy: none ? null : { ...trustPolicy(principal, tenant) },
        };
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/storage/archives", summary: "How far the archive of each bucket is" },
      success: { status: 200, body: z.object({ archives: z.array(archiveStatusShape) }) },
      handle: ({ caller: { tenant } }) =>
        withPostgres(async () => {
          const states = statesOf(tenant, archiveStates.values());
          const rows = await connections.list(tenant);
          return { archives: rows.map((row) => archiveStatus(row, states.get(row.id) ?? [])) };
        }),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/storage/connections", summary: "Connect a bucket, when it proves fit" },
      body: newConnection,
      success: { status: 201, body: keyedConnectionShape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => {
          // What is archived is of all sources.
          mustCover(caller, { sources: "all" }, "connect a bucket");
          return keyed(await connections.create(caller.tenant, body, audit.by(response)));
        }),
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/storage/connections/:id/client-keys",
        summary: "Encrypt new objects under another key; those that are there keep theirs",
      },
      body: newClientKeyShape,
      success: { status: 201, body: keyedConnectionShape },
      handle: ({ caller, params, body, response }) =>
        withPostgres(async () => {
          mustCover(caller, { sources: "all" }, "renew the key of a storage connection");
          return keyed(await connections.renewClientKey(caller.tenant, params.id, body.client_key, audit.by(response)));
        }),
    }),
    endpoint({
      ...{ ...write, ...one, method: "patch", path: "/storage/connections/:id", summary: "Change a connection" },
      body: changedConnection,
      handle: ({ caller, params, body, unchanged, response }) =>
        withPostgres(async () => {
          mustCover(caller, { sources: "all" }, "change a storage connection");
          return shown(await connections.change(caller.tenant, params.id, body, held(unchanged), audit.by(response)));
        }),
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/storage/connections/:id/probe",
        summary: "Try what the archive needs there",
      },
      success: { status: 200, body: probeShape },
      handle: ({ caller, params, response }) =>
        withPostgres(() => connections.probe(caller.tenant, params.id, audit.by(response))),
    }),
    endpoint({
      ...{
        ...write,
        method: "delete",
        path: "/storage/connections/:id",
        summary: "Disconnect a bucket; nothing in it is deleted",
      },
      success: { status: 204 },
      handle: ({ caller, params, unchanged, response }) =>
        withPostgres(() => connections.remove(caller.tenant, params.id, held(unchanged), audit.by(response))),
    }),
  ];
};
