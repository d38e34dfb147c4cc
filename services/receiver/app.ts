/** The HTTP application: security headers, probes, the protocols' routes, and plain answers to everything else. */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Health, Log } from "@astralog/chassis";
import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import helmet from "helmet";
import type { Protocol } from "./protocol.ts";
import { respond } from "./respond.ts";
import { routes } from "./routes.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const plain =
  (status: number, code: string, message: string, headers: Record<string, string> = {}): RequestHandler =>
  (request, response) =>
    respond(
      request,
      response,
      {
        status,
        headers: { "content-type": "application/json; charset=utf-8", ...headers },
        body: JSON.stringify({ code, message }),
      },
      { requestId: "-", bodyRead: false, close: false },
    );

export const createApp = (intake: (protocol: Protocol) => Handler, health: Health, log: Log): RequestListener => {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
      },
    }),
  );
  app.get("/livez", (_request, response) => void response.type("text/plain").send("ok\n"));
  app.get("/readyz", (_request, response) => {
    const missing = health.notReady();
    response.status(missing.length === 0 ? 200 : 503).type("text/plain");
    response.send(missing.length === 0 ? "ready\n" : `${missing.join("\n")}\n`);
  });
  for (const { methods, path, protocol } of routes) {
    const handle = intake(protocol);
    for (const method of methods) app[method](path, (request, response) => handle(request, response));
    const allow = methods.join(", ").toUpperCase();
    app.all(path, plain(405, "method_not_allowed", `Here is only ${allow}.`, { allow }));
  }
  app.use(plain(404, "route_unknown", `There is nothing here. Events go to ${routes.map((r) => r.path).join(", ")}.`));
  const last: ErrorRequestHandler = (error: unknown, request, response, next) => {
    const status = (error as { status?: unknown } | undefined)?.status;
    if (status !== 400) log.error({ err: error }, "a request failed outside the intake");
    const answer =
      status === 400
        ? plain(400, "request_malformed", "The request line cannot be read.")
        : plain(500, "internal", "Something went wrong here.");
    void answer(request, response, next);
  };
  app.use(last);
  return app as unknown as RequestListener;
};
