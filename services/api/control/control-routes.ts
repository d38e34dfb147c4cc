/** What an admin key may do with its tenant's sources and keys. */
import type { Log } from "@astralog/chassis";
import { type RequestHandler, type Response, Router } from "express";
import type { Audit } from "../audit/audit-request.ts";
import { callerOf } from "../authenticate.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { newKey, newSource, rotation, sourceChanges } from "./control-inputs.ts";
import { createKey, listKeys, type MadeKey, revokeKey, rotateKey } from "./keys.ts";
import type { KeyRow, SourceRow } from "./outbox.ts";
import { createSource, listSources, updateSource } from "./sources.ts";

const sourceView = ({ tenant: _, ...source }: SourceRow) => source;
/** Neither the key nor its hash. */
const keyView = ({ tenant: _, hash: __, ...key }: KeyRow) => key;
const madeView = ({ key, row }: MadeKey) => ({ key, ...keyView(row) });

export const createControlRoutes = ({ db, audit, log }: { db: Db; audit: Audit; log: Log }): Router => {
  const router = Router();
  /** Answers with what `work` gives; without Postgres with 503. */
  const route =
    <P>(
      status: number,
      work: (request: Parameters<RequestHandler<P>>[0], response: Response) => Promise<unknown>,
    ): RequestHandler<P> =>
    async (request, response) => {
      const body = await withPostgres(() => work(request, response));
      response.status(status).json(body);
    };
  const told = (response: Response, act: string, id: string): void => {
    const { tenant, keyId } = callerOf(response);
    log.info({ act, id, tenant, by: keyId, request_id: response.locals.requestId as string }, "control");
  };

  router.get(
    "/sources",
    route(200, async (_, response) => ({
      sources: (await listSources(db, callerOf(response).tenant)).map(sourceView),
    })),
  );
  router.post(
    "/sources",
    route(201, async (request, response) => {
      const source = await createSource(
        db,
        callerOf(response).tenant,
        newSource.parse(request.body),
        audit.by(response),
      );
      told(response, "source.create", source.id);
      return sourceView(source);
    }),
  );
  router.patch(
    "/sources/:id",
    route<{ id: string }>(200, async (request, response) => {
      const changes = sourceChanges.parse(request.body);
      const source = await updateSource(db, callerOf(response).tenant, request.params.id, changes, audit.by(response));
      told(response, "source.change", source.id);
      return sourceView(source);
    }),
  );
  router.get(
    "/keys",
    route(200, async (_, response) => ({ keys: (await listKeys(db, callerOf(response).tenant)).map(keyView) })),
  );
  router.post(
    "/keys",
    route(201, async (request, response) => {
      const made = await createKey(db, callerOf(response).tenant, newKey.parse(request.body), audit.by(response));
      told(response, "key.create", made.row.id);
      return madeView(made);
    }),
  );
  router.post(
    "/keys/:id/rotate",
    route<{ id: string }>(201, async (request, response) => {
      const { overlap_seconds: overlap } = rotation.parse(request.body ?? {});
      const made = await rotateKey(db, callerOf(response).tenant, request.params.id, overlap, audit.by(response));
      told(response, "key.rotate", request.params.id);
      return madeView(made);
    }),
  );
  router.delete(
    "/keys/:id",
    route<{ id: string }>(200, async (request, response) => {
      const key = await revokeKey(db, callerOf(response).tenant, request.params.id, audit.by(response));
      told(response, "key.revoke", key.id);
      return keyView(key);
    }),
  );
  return router;
};
