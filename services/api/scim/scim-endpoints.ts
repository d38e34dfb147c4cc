/** The organization's SCIM tokens: each is shown once, in the answer that makes it. */
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { rotation } from "../control/control-shapes.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { newScimToken, scimTokenMade, scimTokenShown } from "../sso/sso-shapes.ts";
import {
  createScimToken,
  listScimTokens,
  type MadeToken,
  revokeScimToken,
  rotateScimToken,
  scimTokenView,
} from "./scim-tokens.ts";

const made = ({ token, row }: MadeToken) => ({ token, ...scimTokenView(row) });

export const createScimEndpoints = ({ db, audit }: { readonly db: Db; readonly audit: Audit }): Endpoint[] => {
  const tag = "single sign-on";
  const access = "sso.write" as const;
  const stepUp = true as const;
  const list = endpoint({
    ...{ method: "get", path: "/sso/scim-tokens", access: "sso.read", tag, summary: "The directory's tokens" },
    success: { status: 200, body: z.object({ tokens: z.array(scimTokenShown) }) },
    handle: ({ caller }) =>
      withPostgres(async () => ({ tokens: (await listScimTokens(db, caller.tenant)).map(scimTokenView) })),
  });
  const create = endpoint({
    ...{ method: "post", path: "/sso/scim-tokens", access, tag, summary: "Make a token for a directory", stepUp },
    body: newScimToken,
    success: { status: 201, body: scimTokenMade },
    handle: ({ caller, body, response }) =>
      withPostgres(async () => made(await createScimToken(db, caller.tenant, body, caller, audit.by(response)))),
  });
  const rotate = endpoint({
    ...{
      method: "post",
      path: "/sso/scim-tokens/:id/rotate",
      access,
      tag,
      summary: "Renew a token, with overlap",
      stepUp,
    },
    body: rotation,
    success: { status: 201, body: scimTokenMade },
    handle: ({ caller, params, body, response }) =>
      withPostgres(async () =>
        made(await rotateScimToken(db, caller.tenant, params.id, body.overlap_seconds, caller, audit.by(response))),
      ),
  });
  const revoke = endpoint({
    ...{ method: "delete", path: "/sso/scim-tokens/:id", access, tag, summary: "End a token at once", stepUp },
    success: { status: 200, body: scimTokenShown },
    handle: ({ caller, params, response }) =>
      withPostgres(async () => scimTokenView(await revokeScimToken(db, caller.tenant, params.id, audit.by(response)))),
  });
  return [list, create, rotate, revoke];
};
