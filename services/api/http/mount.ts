/**
 * Endpoints as Express routes. Each request passes, in this order: who asks, how often, whether he may, whether a person
 * has just proven a second factor, then the body is read, then everything is validated. What no endpoint names is not
 * there.
 */
import { Fault } from "@astralog/chassis";
import express, { type RequestHandler, type Response, Router } from "express";
import type { Audit } from "../audit/audit-request.ts";
import type { Authenticate } from "./authenticate.ts";
import { askerOf, type Caller, type Person } from "./caller.ts";
import type { Endpoint } from "./endpoint.ts";
import { etagOf, unchangedSince } from "./etag.ts";
import { mustHaveProven } from "./step-up.ts";

export interface MountDeps {
  readonly authenticate: Authenticate;
  readonly audit: Pick<Audit, "denied">;
  /** Counts a request against its asker, or against its address when nobody has to say who he is. */
  readonly limit: RequestHandler;
}

const who = (asker: Caller | Person): string => (asker.actor.kind === "key" ? "this key" : "your role");

const authorize = ({ access, stepUp }: Endpoint, asker: Caller | Person, denied: (reason: string) => void): void => {
  if (access === "anyone") return;
  const held = "permissions" in asker ? asker.permissions : undefined;
  if (access === "member" ? !held?.size : access !== "signed-in" && held?.has(access) !== true) {
    denied(`needs ${access}`);
    const needed = access === "member" ? "some permission" : `the permission ${access}`;
    throw new Fault("forbidden", `This takes ${needed}, which ${who(asker)} does not give.`);
  }
  if (stepUp === true) mustHaveProven(asker.session);
};

const parsers = {
  json: (limit: string) => express.json({ limit, strict: true, type: ["application/json", "application/*+json"] }),
  form: (limit: string) => express.urlencoded({ limit, extended: false }),
  bytes: (limit: string) => express.raw({ limit, type: () => true }),
};

const reader = ({ body, takes = "json", bodyLimit = "64kb" }: Endpoint): RequestHandler[] => {
  if (body === undefined && takes === "json") return [];
  const read = parsers[takes](bodyLimit);
  return [
    (request, response, next) => {
      const empty =
        request.headers["transfer-encoding"] === undefined && !(Number(request.headers["content-length"]) > 0);
      read(request, response, (error?: unknown) => {
        if (error === undefined && !empty && request.body === undefined) {
          return next(
            new Fault(
              "unsupported_media_type",
              `Send the body as ${takes === "json" ? "application/json" : "application/x-www-form-urlencoded"}.`,
            ),
          );
        }
        next(error);
      });
    },
  ];
};

const answer = (response: Response, { success, etag }: Endpoint, value: unknown): void => {
  if (value !== undefined) {
    if (etag === true) response.setHeader("ETag", etagOf(value));
    response.status(success.status).json(value);
  } else if (success.status === 204) response.status(204).end();
  else if (!response.headersSent) throw new Error("an endpoint answered nothing");
};

const handlersOf = (one: Endpoint, { authenticate, audit, limit }: MountDeps): RequestHandler[] => {
  const { access } = one;
  const identify: RequestHandler = async (request, response, next) => {
    if (access !== "anyone") response.locals.asker = await authenticate(request, response, access);
    next();
  };
  const permit: RequestHandler = (_, response, next) => {
    const asker = askerOf(response);
    if (asker !== undefined) authorize(one, asker, (reason) => audit.denied(response, reason));
    next();
  };
  const handle: RequestHandler = async (request, response) => {
    const value = await one.handle({
      params: one.params.parse(request.params),
      query: one.query.parse(request.query),
      body: one.body === undefined ? request.body : one.body.parse(request.body ?? {}),
      caller: askerOf(response),
      unchanged: unchangedSince(request),
      request,
      response,
    });
    answer(response, one, value);
  };
  return [identify, limit, permit, ...reader(one), handle];
};

/** Throws when two endpoints claim one route. */
export const mount = (endpoints: readonly Endpoint[], deps: MountDeps): Router => {
  const router = Router({ caseSensitive: true, strict: true });
  const taken = new Set<string>();
  for (const one of endpoints) {
    const route = `${one.method} ${one.path.replaceAll(/:\w+/g, ":")}`;
    if (taken.has(route)) throw new Error(`${route} is claimed twice`);
    taken.add(route);
    router[one.method](one.path, ...handlersOf(one, deps));
  }
  return router;
};
