/** Puts the routes together: what every request passes, which key each route needs, and the dashboard at /. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Fault, type Log } from "@astralog/chassis";
import type { KeyKind } from "@astralog/schemas";
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";
import type { Audit } from "./audit/audit-request.ts";
import { callerOf } from "./authenticate.ts";
import { createDashboard } from "./dashboard.ts";
import type { ApiMetrics } from "./metrics.ts";
import { createErrorHandler, notFound, sendProblem } from "./problems.ts";

export interface ServerDeps {
  readonly log: Log;
  readonly metrics: ApiMetrics;
  readonly audit: Pick<Audit, "denied">;
  readonly authenticate: RequestHandler;
  readonly routers: readonly Router[];
  readonly trustedProxies: readonly string[];
  readonly requestsPerMinute: number;
  readonly refusalsPerMinute: number;
}

const security = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      fontSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  xFrameOptions: { action: "deny" },
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
});

/** A request id of our own; a caller's is not trusted in our logs. */
const identify: RequestHandler = (_, response, next) => {
  const id = randomUUID();
  response.locals.requestId = id;
  response.setHeader("X-Request-Id", id);
  next();
};

/** Route patterns, not paths: a label per path would grow without end. */
const measure =
  (metrics: ApiMetrics): RequestHandler =>
  (request, response, next) => {
    const begun = performance.now();
    response.once("close", () => {
      const route =
        request.route === undefined ? "none" : `${request.method} ${String((request.route as { path: unknown }).path)}`;
      metrics.requests.inc({ route, status: String(response.statusCode) });
      metrics.requestSeconds.observe({ route }, (performance.now() - begun) / 1000);
    });
    next();
  };

/** Which kind of key each part of the API takes; what is not here cannot be reached. */
const needs: Readonly<Record<string, KeyKind>> = {
  search: "query",
  events: "query",
  histogram: "query",
  facets: "query",
  fields: "query",
  traces: "query",
  receipts: "query",
  sources: "admin",
  keys: "admin",
  verify: "admin",
  dead: "admin",
  audit: "admin",
};

const authorize =
  (audit: Pick<Audit, "denied">): RequestHandler =>
  (request, response, next) => {
    const part = request.path.split("/", 2)[1] ?? "";
    const needed = Object.hasOwn(needs, part) ? needs[part] : undefined;
    if (needed === undefined) {
      notFound(request, response, next);
      return;
    }
    const { kind } = callerOf(response);
    if (kind !== needed) {
      audit.denied(response, `${part} needs a key of kind ${needed}`);
      throw new Fault("forbidden", `This takes a key of kind ${needed}; the one given is of kind ${kind}.`);
    }
    next();
  };

const noStore: RequestHandler = (_, response, next) => {
  response.setHeader("Cache-Control", "no-store");
  next();
};

export const createApp = (deps: ServerDeps): Express => {
  const { authenticate } = deps;
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("trust proxy", deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies]);
  app.use(identify, measure(deps.metrics), security);

  // Counts only what was refused: whoever has a good key is limited by it, not by who else sits behind his address.
  const refusals = rateLimit({
    windowMs: 60_000,
    limit: deps.refusalsPerMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    handler: (_, response) => sendProblem(response, "too_many_requests", "Too many keys were refused; wait a minute."),
  });
  const slowGuessing: ErrorRequestHandler = (error: unknown, request, response, next) => {
    if (!(error instanceof Fault) || error.code !== "unauthorized") next(error);
    else void refusals(request, response, () => next(error));
  };
  const requests = rateLimit({
    windowMs: 60_000,
    limit: deps.requestsPerMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    keyGenerator: (_, response) => callerOf(response).keyId,
    handler: (_, response) =>
      sendProblem(response, "too_many_requests", `A key may make ${deps.requestsPerMinute} requests a minute.`),
  });

  const api = express.Router();
  api.use(
    noStore,
    authenticate,
    requests,
    authorize(deps.audit),
    express.json({ limit: "64kb", strict: true }),
    ...deps.routers,
  );
  app.use("/api/v1", api, notFound, slowGuessing);
  app.use("/api", noStore);
  app.use("/api", notFound);
  app.use(createDashboard());
  app.use(notFound);
  app.use(createErrorHandler(deps.log));
  return app;
};

export interface Listening {
  readonly port: number;
  /** Takes no more requests, lets running ones end for a while, then cuts them. */
  close(): Promise<void>;
}

const drainMs = 5_000;

export const listen = async (app: Express, host: string, port: number): Promise<Listening> => {
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 15_000, keepAliveTimeout: 10_000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), drainMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
};
