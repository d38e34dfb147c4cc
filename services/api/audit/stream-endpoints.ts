/** An organization's audit streams over HTTP. */
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { nameShape } from "../http/text.ts";
import { withPostgres } from "../postgres.ts";
import type { Audit } from "./audit-request.ts";
import type { AuditStream, AuditStreams } from "./audit-streams.ts";

const url = z.url().max(2_048).describe("https, on port 443 or 8443, at a public address.");

const date = z.iso.datetime();
const streamShape = z.object({
  id: z.string(),
  name: z.string(),
  url: z.string(),
  created_at: date,
  enabled: z.boolean(),
  delivered_seq: z.int().describe("The last event that was taken; the next is one more."),
  delivered_at: date.nullable(),
  tried_at: date.nullable(),
  failed_tries: z.int().describe("Of the next event."),
  next_try_at: date.nullable(),
  problem: z.string().describe("Why the last try failed; empty when it did not."),
  overlap_until: date.nullable().describe("Until then the secret before signs, too."),
});
const madeShape = streamShape.extend({ secret: z.string().describe("The one chance to see it.") });

const viewOf = (row: AuditStream) => ({
  ...{ id: row.id, name: row.name, url: row.url, created_at: row.created_at },
  enabled: row.disabled_at === null,
  delivered_seq: row.cursor,
  ...{ delivered_at: row.delivered_at, tried_at: row.tried_at, failed_tries: row.attempts },
  next_try_at: row.disabled_at === null && row.attempts > 0 ? row.next_at : null,
  problem: row.problem,
  overlap_until: row.secret_before_until,
});

export const createStreamEndpoints = ({ streams, audit }: { streams: AuditStreams; audit: Audit }): Endpoint[] => {
  const tag = "audit";
  const access = "audit.stream";
  return [
    endpoint({
      ...{ method: "get", path: "/audit/streams", access, tag, summary: "Where the trail is sent, and how far" },
      success: { status: 200, body: z.object({ streams: z.array(streamShape) }) },
      handle: ({ caller }) => withPostgres(async () => ({ streams: (await streams.list(caller.tenant)).map(viewOf) })),
    }),
    endpoint({
      ...{ method: "post", path: "/audit/streams", access, tag, summary: "Send the trail to a webhook" },
      stepUp: true,
      body: z.strictObject({ name: nameShape, url, from: z.enum(["start", "now"]).default("now") }),
      success: { status: 201, body: madeShape },
      handle: ({ caller, body, response }) =>
        withPostgres(async () => {
          const { row, secret } = await streams.create(caller.tenant, body, audit.by(response));
          return { ...viewOf(row), secret };
        }),
    }),
    endpoint({
      ...{ method: "patch", path: "/audit/streams/:id", access, tag, summary: "Change a stream, or go on with it" },
      stepUp: true,
      body: z
        .strictObject({ name: nameShape.optional(), url: url.optional(), enabled: z.boolean().optional() })
        .refine((changes) => Object.keys(changes).length > 0, "name at least one field to change"),
      success: { status: 200, body: streamShape },
      handle: ({ caller, params, body, response }) =>
        withPostgres(async () => viewOf(await streams.change(caller.tenant, params.id, body, audit.by(response)))),
    }),
    endpoint({
      ...{ method: "post", path: "/audit/streams/:id/rotate", access, tag, summary: "Give a stream another secret" },
      stepUp: true,
      body: z.strictObject({ overlap_seconds: z.int().min(0).max(2_592_000).default(86_400) }),
      success: { status: 201, body: madeShape },
      handle: ({ caller, params, body, response }) =>
        withPostgres(async () => {
          const by = audit.by(response);
          const { row, secret } = await streams.rotate(caller.tenant, params.id, body.overlap_seconds, by);
          return { ...viewOf(row), secret };
        }),
    }),
    endpoint({
      ...{ method: "delete", path: "/audit/streams/:id", access, tag, summary: "Send the trail there no more" },
      stepUp: true,
      success: { status: 204 },
      handle: ({ caller, params, response }) =>
        withPostgres(() => streams.remove(caller.tenant, params.id, audit.by(response))),
    }),
  ];
};
