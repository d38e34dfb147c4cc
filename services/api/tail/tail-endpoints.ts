/** `GET /tail`: events as they come, before they are stored, by the same query, rights and view as a search. */
import type { Response } from "express";
import { z } from "zod";
import type { Authenticate } from "../http/authenticate.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Scoping, scopeOf } from "../search/request.ts";
import type { TailHub } from "./tail-hub.ts";
import { createMatcher } from "./tail-matcher.ts";
import { createTailStream, type Sink } from "./tail-stream.ts";

export interface TailEndpointsDeps extends Scoping {
  readonly hub: TailHub;
  readonly authenticate: Authenticate;
}

const tailQuery = z.strictObject({
  q: z.string().default("").describe("A query without pipes; empty shows every event."),
  last_id: z.string().max(64).optional().describe("Where the stream broke: like the header Last-Event-ID."),
});

/** How long a session may go on that has ended elsewhere; a key is looked up in memory, at every check. */
const sessionCheckMs = 10_000;

export const createTailEndpoints = (deps: TailEndpointsDeps): Endpoint[] => [
  endpoint({
    method: "get",
    path: "/tail",
    access: "events.read",
    tag: "events",
    summary: "Watch events as they come, as server-sent events.",
    query: tailQuery,
    success: { status: 200, content: "text/event-stream" },
    handle: async ({ query, caller, request, response }) => {
      const scope = scopeOf(caller, deps);
      const matches = createMatcher(query.q, Date.now(), scope.names);
      const stream = createTailStream(sinkOf(response));
      const isAllowed = stillAllowed(caller.session === undefined ? 0 : sessionCheckMs, () =>
        deps.authenticate(request, response, "events.read"),
      );
      const lastId = request.get("last-event-id") ?? query.last_id;
      const leave = await deps.hub.listen(
        { tenant: scope.tenant, sources: scope.sources, matches, isAllowed, stream },
        lastId === "" ? undefined : lastId,
      );
      response.once("close", leave);
      if (response.destroyed) leave();
    },
  }),
];

/** Asks again who the caller is, at most every `everyMs`; the answer of the last time holds in between. */
const stillAllowed = (everyMs: number, ask: () => Promise<unknown>): (() => Promise<boolean>) => {
  let askedAt = Date.now();
  return async () => {
    if (Date.now() - askedAt < everyMs) return true;
    askedAt = Date.now();
    return ask().then(
      () => true,
      () => false,
    );
  };
};

/** The head goes out with the first words, so that a refusal can still be a problem. */
const sinkOf = (response: Response): Sink => ({
  write: (text) => {
    if (!response.headersSent) {
      response.status(200).setHeader("Content-Type", "text/event-stream; charset=utf-8");
      // Proxies that collect answers would turn live into late.
      response.setHeader("X-Accel-Buffering", "no");
    }
    return response.write(text);
  },
  onDrain: (take) => response.on("drain", take),
  end: () => response.end(),
});
