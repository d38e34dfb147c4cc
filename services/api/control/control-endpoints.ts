/** An organization's sources and keys over HTTP. */
import type { Log } from "@astralog/chassis";
import type { Response } from "express";
import type { Audit } from "../audit/audit-request.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { pageOf } from "../http/paging.ts";
import { covers, mustCover } from "../organizations/grants.ts";
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
  wholePage,
} from "./control-shapes.ts";
import { createKey, listKeys, type MadeKey, revokeKey, rotateKey, sourcesOfKey } from "./keys.ts";
import type { KeyRow, SourceRow } from "./outbox.ts";
import { createSource, findSource, listSources, noSource, updateSource } from "./sources.ts";

const sourceView = ({ tenant: _, native_partitions: __, ...source }: SourceRow) => source;
/** Neither the key nor its hash. */
const keyView = ({ tenant: _, hash: __, ...key }: KeyRow) => key;
const madeView = ({ key, row }: MadeKey) => ({ key, ...keyView(row) });

const sees = ({ sources }: Caller, id: string): boolean => sources === "all" || sources.has(id);
/** What he does not see is not there. */
const mustSee = (caller: Caller, id: string): void => {
  if (!sees(caller, id)) throw noSource();
};

export interface ControlDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly log: Log;
  /** Called when a source has changed; the answer waits for it. */
  sourceChanged(source: SourceRow): Promise<void>;
}

export const createControlEndpoints = (deps: ControlDeps): Endpoint[] => [...ofSources(deps), ...ofKeys(deps)];

const createTold =
  (log: Log) =>
  ({ caller, response }: { caller: Caller; response: Response }, act: string, id: string): void => {
    const { tenant, actor } = caller;
    log.info({ act, id, tenant, by: actor.id, request_id: response.locals.requestId as string }, "control");
  };

const ofSources = ({ db, audit, log, sourceChanged }: ControlDeps): Endpoint[] => {
  const told = createTold(log);
  const tag = "sources";
  return [
    endpoint({
      ...{ method: "get", path: "/sources", access: "sources.read", tag, summary: "The sources" },
      query: wholePage,
      success: { status: 200, body: sourceList },
      handle: ({ caller, query: { cursor, limit } }) =>
        withPostgres(async () => {
          const { page, next } = pageOf(await listSources(db, caller.tenant, { cursor, limit: limit + 1 }), limit);
          return { sources: page.filter(({ id }) => sees(caller, id)).map(sourceView), next };
        }),
    }),
    endpoint({
      ...{ method: "get", path: "/sources/:id", access: "sources.read", tag, summary: "One source" },
      success: { status: 200, body: sourceShape },
      etag: true,
      handle: ({ caller, params }) =>
        withPostgres(async () => {
          mustSee(caller, params.id);
          return sourceView(await findSource(db, caller.tenant, params.id));
        }),
    }),
    endpoint({
      ...{ method: "post", path: "/sources", access: "sources.write", tag, summary: "Make a source" },
      body: newSource,
      success: { status: 201, body: sourceShape },
      handle: (input) =>
        withPostgres(async () => {
          // It would not be among those he sees.
          mustCover(input.caller, { sources: "all" }, "make a source");
          const source = await createSource(db, input.caller.tenant, input.body, audit.by(input.response));
          told(input, "source.create", source.id);
          return sourceView(source);
        }),
    }),
    endpoint({
      ...{ method: "patch", path: "/sources/:id", access: "sources.write", tag, summary: "Change a source" },
      body: sourceChanges,
      success: { status: 200, body: sourceShape },
      etag: true,
      handle: (input) =>
        withPostgres(async () => {
          const { caller, params, body, response, unchanged } = input;
          mustSee(caller, params.id);
          const source = await updateSource(db, caller.tenant, params.id, body, audit.by(response), (row) =>
            unchanged(sourceView(row)),
          );
          told(input, "source.change", source.id);
          await sourceChanged(source);
          return sourceView(source);
        }),
    }),
  ];
};

const ofKeys = ({ db, audit, log }: Omit<ControlDeps, "sourceChanged">): Endpoint[] => {
  const told = createTold(log);
  const tag = "keys";
  return [
    endpoint({
      ...{ method: "get", path: "/keys", access: "keys.read", tag, summary: "The keys, without what opens anything" },
      query: wholePage,
      success: { status: 200, body: keyList },
      handle: ({ caller, query: { cursor, limit } }) =>
        withPostgres(async () => {
          const { page, next } = pageOf(await listKeys(db, caller.tenant, { cursor, limit: limit + 1 }), limit);
          return { keys: page.filter((row) => covers(caller.sources, sourcesOfKey(row))).map(keyView), next };
        }),
    }),
    endpoint({
      ...{ method: "post", path: "/keys", access: "keys.write", tag, summary: "Make a key; it is shown this once" },
      body: newKey,
      success: { status: 201, body: madeKeyShape },
      handle: (input) =>
        withPostgres(async () => {
          const made = await createKey(db, input.caller.tenant, input.body, audit.by(input.response), input.caller);
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
          const made = await rotateKey(db, caller.tenant, params.id, body.overlap_seconds, audit.by(response), caller);
          told(input, "key.rotate", params.id);
          return madeView(made);
        }),
    }),
    endpoint({
      ...{ method: "delete", path: "/keys/:id", access: "keys.write", tag, summary: "Revoke a key, within a second" },
      success: { status: 200, body: keyShape },
      handle: (input) =>
        withPostgres(async () => {
          const key = await revokeKey(db, input.caller.tenant, input.params.id, audit.by(input.response), input.caller);
          told(input, "key.revoke", key.id);
          return keyView(key);
        }),
    }),
  ];
};
