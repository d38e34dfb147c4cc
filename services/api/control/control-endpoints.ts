/** An organization's sources and keys over HTTP. */
import type { Log } from "@astralog/chassis";
import type { Response } from "express";
import type { Audit } from "../audit/audit-request.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import {
  keyList,
  keyShape,
  madeKeyShape,
  newKey,
  newSource,
  rotation,
  sourceChanges,
  sourceList,
  sourceShape,
} from "./control-shapes.ts";
import { createKey, listKeys, type MadeKey, revokeKey, rotateKey } from "./keys.ts";
import type { KeyRow, SourceRow } from "./outbox.ts";
import { createSource, listSources, updateSource } from "./sources.ts";

const sourceView = ({ tenant: _, ...source }: SourceRow) => source;
/** Neither the key nor its hash. */
const keyView = ({ tenant: _, hash: __, ...key }: KeyRow) => key;
const madeView = ({ key, row }: MadeKey) => ({ key, ...keyView(row) });

export interface ControlDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly log: Log;
}

export const createControlEndpoints = (deps: ControlDeps): Endpoint[] => [...ofSources(deps), ...ofKeys(deps)];

const createTold =
  (log: Log) =>
  ({ caller, response }: { caller: Caller; response: Response }, act: string, id: string): void => {
    const { tenant, actor } = caller;
    log.info({ act, id, tenant, by: actor.id, request_id: response.locals.requestId as string }, "control");
  };

const ofSources = ({ db, audit, log }: ControlDeps): Endpoint[] => {
  const told = createTold(log);
  const tag = "sources";
  return [
    endpoint({
      ...{ method: "get", path: "/sources", access: "sources.read", tag, summary: "The sources" },
      success: { status: 200, body: sourceList },
      handle: ({ caller }) =>
        withPostgres(async () => ({ sources: (await listSources(db, caller.tenant)).map(sourceView) })),
    }),
    endpoint({
      ...{ method: "post", path: "/sources", access: "sources.write", tag, summary: "Make a source" },
      body: newSource,
      success: { status: 201, body: sourceShape },
      handle: (input) =>
        withPostgres(async () => {
          const source = await createSource(db, input.caller.tenant, input.body, audit.by(input.response));
          told(input, "source.create", source.id);
          return sourceView(source);
        }),
    }),
    endpoint({
      ...{ method: "patch", path: "/sources/:id", access: "sources.write", tag, summary: "Change a source" },
      body: sourceChanges,
      success: { status: 200, body: sourceShape },
      handle: (input) =>
        withPostgres(async () => {
          const { caller, params, body, response } = input;
          const source = await updateSource(db, caller.tenant, params.id, body, audit.by(response));
          told(input, "source.change", source.id);
          return sourceView(source);
        }),
    }),
  ];
};

const ofKeys = ({ db, audit, log }: ControlDeps): Endpoint[] => {
  const told = createTold(log);
  const tag = "keys";
  return [
    endpoint({
      ...{ method: "get", path: "/keys", access: "keys.read", tag, summary: "The keys, without what opens anything" },
      success: { status: 200, body: keyList },
      handle: ({ caller }) => withPostgres(async () => ({ keys: (await listKeys(db, caller.tenant)).map(keyView) })),
    }),
    endpoint({
      ...{ method: "post", path: "/keys", access: "keys.write", tag, summary: "Make a key; it is shown this once" },
      body: newKey,
      success: { status: 201, body: madeKeyShape },
      handle: (input) =>
        withPostgres(async () => {
          const made = await createKey(db, input.caller.tenant, input.body, audit.by(input.response));
          told(input, "key.create", made.row.id);
          return madeView(made);
        }),
    }),
    endpoint({
      ...{
        method: "post",
        path: "/keys/:id/rotate",
        access: "keys.write",
        tag,
        summary: "Make a like key, end this one",
      },
      body: rotation,
      success: { status: 201, body: madeKeyShape },
      handle: (input) =>
        withPostgres(async () => {
          const { caller, params, body, response } = input;
          const made = await rotateKey(db, caller.tenant, params.id, body.overlap_seconds, audit.by(response));
          told(input, "key.rotate", params.id);
          return madeView(made);
        }),
    }),
    endpoint({
      ...{ method: "delete", path: "/keys/:id", access: "keys.write", tag, summary: "Revoke a key, within a second" },
      success: { status: 200, body: keyShape },
      handle: (input) =>
        withPostgres(async () => {
          const key = await revokeKey(db, input.caller.tenant, input.params.id, audit.by(input.response));
          told(input, "key.revoke", key.id);
          return keyView(key);
        }),
    }),
  ];
};
