/**
 * /scim/v2: where an organization's directory makes, changes and ends members and teams. Opened by a SCIM token and
 * nothing else, which says the organization; no address and no body can name another. Errors are of SCIM's own shape.
 */
import { Fault, type Log } from "@astralog/chassis";
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import type { By } from "../audit/audit-trail.ts";
import { type Db, withPostgres } from "../postgres.ts";
import {
  findResourceType,
  findSchema,
  groupSchema,
  listOf,
  mostResults,
  resourceTypeList,
  schemaList,
  serviceProviderConfig,
  userSchema,
} from "./scim-discovery.ts";
import { errorBody, noSuch, ScimError } from "./scim-error.ts";
import { parseFilter } from "./scim-filter.ts";
import {
  changeGroup,
  createGroup,
  deleteGroup,
  findGroup,
  groupAttributes,
  listGroups,
  type ScimGroup,
} from "./scim-groups.ts";
import { patchBody, patchGroup, patchUser, readGroup, readUser } from "./scim-patch.ts";
import { findScimToken, type ScimToken } from "./scim-tokens.ts";
import {
  changeUser,
  createUser,
  deleteUser,
  findUser,
  listUsers,
  type ScimUser,
  userAttributes,
} from "./scim-users.ts";

export interface ScimDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly publicUrl: URL;
  readonly requestsPerMinute: number;
  readonly log: Log;
}

interface Asked {
  readonly request: Request;
  readonly tenant: string;
  readonly by: By;
  readonly id: string;
}
type Handle = (asked: Asked) => Promise<object | undefined> | object;

/** Each answers with what it gives; 204 with nothing. */
export interface ScimRoute {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  readonly path: string;
  readonly status: 200 | 201 | 204;
  readonly handle: Handle;
}

const listQuery = z.object({
  filter: z.string().max(1_024).optional(),
  startIndex: z.coerce
    .number()
    .int()
    .catch(1)
    .transform((n) => Math.max(1, n)),
  count: z.coerce
    .number()
    .int()
    .catch(100)
    .transform((n) => Math.min(mostResults, Math.max(0, n))),
});

const listOptions = ({ query }: Request): z.output<typeof listQuery> => {
  const parsed = listQuery.safeParse(query);
  if (!parsed.success) throw new ScimError(400, "filter must be given once, as text.", "invalidFilter");
  return parsed.data;
};

const operationsOf = ({ body }: Request) => {
  const parsed = patchBody.safeParse(body);
  if (!parsed.success)
    throw new ScimError(400, "Send Operations, each with op add, replace or remove.", "invalidSyntax");
  return parsed.data.Operations;
};

export const scimRoutes = ({ db, publicUrl }: Pick<ScimDeps, "db" | "publicUrl">): ScimRoute[] => {
  const meta = (
    resourceType: "User" | "Group",
    { id, created_at, changed_at }: { id: string; created_at: Date; changed_at: Date },
  ) => ({
    ...{ resourceType, created: created_at, lastModified: changed_at },
    location: `${publicUrl.origin}/scim/v2/${resourceType}s/${id}`,
  });
  const userView = (user: ScimUser) => ({
    ...{ schemas: [userSchema], id: user.id, userName: user.user_name },
    ...(user.external_id === null ? {} : { externalId: user.external_id }),
    name: { givenName: user.given_name, familyName: user.family_name },
    ...{ displayName: user.display_name, active: user.active },
    emails: [{ value: user.email, type: "work", primary: true }],
    meta: meta("User", user),
  });
  const groupView = (group: ScimGroup) => ({
    ...{ schemas: [groupSchema], id: group.id, displayName: group.name },
    ...(group.external_id === null ? {} : { externalId: group.external_id }),
    members: group.members.map(({ id, name }) => ({ value: id, display: name })),
    meta: meta("Group", group),
  });
  const route = (
    method: ScimRoute["method"],
    path: string,
    status: ScimRoute["status"],
    handle: Handle,
  ): ScimRoute => ({
    ...{ method, path, status, handle },
  });
  const found = <T>(one: T | undefined, what: string): T => {
    if (one === undefined) throw noSuch(what);
    return one;
  };

  return [
    route("get", "/ServiceProviderConfig", 200, () => serviceProviderConfig),
    route("get", "/Schemas", 200, () => schemaList),
    route("get", "/Schemas/:id", 200, ({ id }) => found(findSchema(id), "schema")),
    route("get", "/ResourceTypes", 200, () => resourceTypeList),
    route("get", "/ResourceTypes/:id", 200, ({ id }) => found(findResourceType(id), "resource type")),

    route("get", "/Users", 200, async ({ request, tenant }) => {
      const options = listOptions(request);
      const { total, page } = await listUsers(db, tenant, parseFilter(options.filter, userAttributes), options);
      return listOf(page.map(userView), total, options.startIndex);
    }),
    route("post", "/Users", 201, async ({ request, tenant, by }) =>
      userView(await createUser(db, tenant, readUser(request.body), by)),
    ),
    route("get", "/Users/:id", 200, async ({ tenant, id }) => userView(await findUser(db, tenant, id))),
    route("put", "/Users/:id", 200, async ({ request, tenant, id, by }) =>
      userView(await changeUser(db, tenant, id, () => readUser(request.body), by)),
    ),
    route("patch", "/Users/:id", 200, async ({ request, tenant, id, by }) => {
      const operations = operationsOf(request);
      return userView(await changeUser(db, tenant, id, (fields) => patchUser(fields, operations), by));
    }),
    route("delete", "/Users/:id", 204, async ({ tenant, id, by }) => {
      await deleteUser(db, tenant, id, by);
      return undefined;
    }),

    route("get", "/Groups", 200, async ({ request, tenant }) => {
      const options = listOptions(request);
      const { total, page } = await listGroups(db, tenant, parseFilter(options.filter, groupAttributes), options);
      return listOf(page.map(groupView), total, options.startIndex);
    }),
    route("post", "/Groups", 201, async ({ request, tenant, by }) =>
      groupView(await createGroup(db, tenant, readGroup(request.body), by)),
    ),
    route("get", "/Groups/:id", 200, async ({ tenant, id }) => groupView(await findGroup(db, tenant, id))),
    route("put", "/Groups/:id", 200, async ({ request, tenant, id, by }) =>
      groupView(await changeGroup(db, tenant, id, () => readGroup(request.body), by)),
    ),
    route("patch", "/Groups/:id", 200, async ({ request, tenant, id, by }) => {
      const operations = operationsOf(request);
      return groupView(await changeGroup(db, tenant, id, (fields) => patchGroup(fields, operations), by));
    }),
    route("delete", "/Groups/:id", 204, async ({ tenant, id, by }) => {
      await deleteGroup(db, tenant, id, by);
      return undefined;
    }),
  ];
};

const send = (response: Response, status: number, body: object): void =>
  void response.status(status).type("application/scim+json").send(JSON.stringify(body));

/** What is not a ScimError was not meant for a reader; it is told to the log. */
const errorHandler =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, _, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof ScimError) return send(response, error.status, errorBody(error));
    const { status } = error as { status?: unknown };
    if (typeof status === "number" && status >= 400 && status < 500)
      return send(
        response,
        status,
        errorBody(new ScimError(status, "The body is not JSON that this takes.", "invalidSyntax")),
      );
    log.error({ err: error, request_id: response.locals.requestId as string }, "a SCIM request failed");
    const down = error instanceof Fault && error.retriable;
    send(
      response,
      down ? 503 : 500,
      errorBody(new ScimError(down ? 503 : 500, "It could not be done now; try again later.")),
    );
  };

export const createScimRouter = (deps: ScimDeps): Router => {
  const { db, audit, log } = deps;
  const router = Router({ caseSensitive: true });

  const authenticate: RequestHandler = async (request, response, next) => {
    const given = /^Bearer +(\S{1,128})$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const token = await withPostgres(() => findScimToken(db, given));
    if (token === undefined) {
      audit.refused(response, { reason: "no good SCIM token" });
      response.setHeader("WWW-Authenticate", "Bearer");
      throw new ScimError(401, "Send the header Authorization: Bearer <a SCIM token of the organization>.");
    }
    response.locals.scimToken = token;
    next();
  };
  const limit = rateLimit({
    windowMs: 60_000,
    limit: deps.requestsPerMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    keyGenerator: ({ ip = "" }) => ipKeyGenerator(ip),
    handler: (_, response) => send(response, 429, errorBody(new ScimError(429, "Too many requests; wait a minute."))),
  });
  const read = express.json({ limit: "1mb", strict: true, type: ["application/scim+json", "application/json"] });

  router.use(limit, authenticate);
  for (const { method, path, status, handle } of scimRoutes(deps)) {
    router[method](path, read, async (request, response) => {
      const { tenant, id: key, name } = response.locals.scimToken as ScimToken;
      const by = audit.by(response, { kind: "key", id: key, name });
      const { id } = request.params;
      const body = await withPostgres(async () =>
        handle({ request, tenant, by, id: typeof id === "string" ? id : "" }),
      );
      if (body === undefined) response.status(204).end();
      else send(response, status, body);
    });
  }
  router.use(() => {
    throw noSuch("resource");
  });
  router.use(errorHandler(log));
  return router;
};
