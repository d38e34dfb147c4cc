/** Puts the server together: what every request passes, the endpoints under /api/v1, and the dashboard at /. */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Fault, type Log } from "@astralog/chassis";
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Router } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import helmet from "helmet";
import type { ApiMetrics } from "../metrics.ts";
import { askerOf } from "./caller.ts";
import { createCspReports, reportGroup, reportPath } from "./csp-reports.ts";
import { createDashboard } from "./dashboard.ts";
import type { Endpoint } from "./endpoint.ts";
import { type MountDeps, mount } from "./mount.ts";
import { createOpenApi } from "./openapi.ts";
import { createErrorHandler, notFound, sendProblem } from "./problems.ts";
import { createSecurityTxt, type SecurityContact } from "./security-txt.ts";

export interface ServerDeps extends Omit<MountDeps, "limit"> {
  readonly log: Log;
  readonly metrics: ApiMetrics;
  readonly endpoints: readonly Endpoint[];
  /** Has credentials and errors of its own, as its standard asks. */
  readonly scim: Router;
  readonly securityContact: SecurityContact;
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
      reportUri: [reportPath],
      reportTo: [reportGroup],
    },
  },
  xFrameOptions: { action: "deny" },
  strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: true },
});

const reporting: RequestHandler = (_, response, next) => {
  response.setHeader("Reporting-Endpoints", `${reportGroup}="${reportPath}"`);
  next();
};

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

const noStore: RequestHandler = (_, response, next) => {
  response.setHeader("Cache-Control", "no-store");
  next();
};

export const createApp = (deps: ServerDeps): Express => {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("trust proxy", deps.trustedProxies.length === 0 ? false : [...deps.trustedProxies]);
  app.use(identify, measure(deps.metrics), security, reporting);

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
  const limit = rateLimit({
    windowMs: 60_000,
    limit: deps.requestsPerMinute,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    keyGenerator: ({ ip = "" }, response) => askerOf(response)?.actor.id ?? ipKeyGenerator(ip),
    handler: (_, response) =>
      sendProblem(response, "too_many_requests", `${deps.requestsPerMinute} requests a minute are allowed.`),
  });
  const endpoints = [...deps.endpoints, createOpenApi(deps.endpoints)];
  app.use("/api/v1", noStore, mount(endpoints, { ...deps, limit }), notFound, slowGuessing);
  app.use("/scim/v2", noStore, deps.scim);
  app.use(["/api", "/scim"], noStore);
  app.use(["/api", "/scim"], notFound);
  app.use(createCspReports(deps));
  app.use(createSecurityTxt(deps.securityContact), createDashboard());
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
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 15_000, keepAliveTimeout: 75_000 }, app);
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
