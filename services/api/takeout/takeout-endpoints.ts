/** Takeouts over HTTP: ask for one, see how far it is, and fetch its files, from wherever a broken download stopped. */
import { Fault, type Log } from "@astralog/chassis";
import { type TakeoutFile, takeoutNames, takeoutParts } from "@astralog/schemas/takeout";
import type { Request, Response } from "express";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { sendWhole } from "../export/export-stream.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import { type Db, withPostgres } from "../postgres.ts";
import type { Connections } from "../storage/connections.ts";
import type { TakeoutStore } from "./takeout-store.ts";
import {
  cancelTakeout,
  createTakeout,
  cutOf,
  fileOf,
  findTakeout,
  listTakeouts,
  progressOf,
  type TakeoutRow,
} from "./takeouts.ts";

export interface TakeoutDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by" | "note">;
  readonly store: TakeoutStore;
  readonly connections: Connections;
  /** How long one can be fetched unless its asker says less. */
  readonly days: number;
  readonly log: Log;
}

const count = z.int();
const shape = z.object({
  ...{ id: z.string(), state: z.enum(["waiting", "running", "done", "failed", "cancelled", "deleted", "expired"]) },
  ...{ parts: z.array(z.enum(takeoutParts)), connection: z.string().nullable(), requested_by: z.string() },
  ...{ created_at: z.iso.datetime(), expires_at: z.iso.datetime(), finished_at: z.iso.datetime().nullable() },
  cut: z.iso.datetime().nullable().describe("When the ends of the topics were read; what came later is not in it."),
  problem: z.string(),
  events: count.nullable().describe("How many there are to write; null until they are counted."),
  ...{ events_done: count, files: count, bytes: count },
  manifest_sha256: z.string().nullable(),
});

const wanted = z.strictObject({
  parts: z
    .array(z.enum(takeoutParts))
    .min(1, "must name one part at least")
    .default([...takeoutParts])
    .transform((parts) => takeoutParts.filter((part) => parts.includes(part))),
  connection: z
    .string()
    .max(64)
    .nullable()
    .default(null)
    .describe("Id of a storage connection, for the organization's own bucket; the operator's store without it."),
  days: z.int().min(1).max(90).optional().describe("How long its files are kept; the installation's most unless less."),
});

const shown = (row: TakeoutRow) => {
  const { events, eventsDone = 0, files = 0, bytes = 0, sha256 } = progressOf(row);
  const expired = row.state === "done" && row.expires_at.getTime() <= Date.now();
  return {
    ...{ id: row.id, state: expired ? "expired" : row.state, parts: row.parts, connection: row.connection },
    ...{ requested_by: row.requested_by, created_at: row.created_at, expires_at: row.expires_at },
    ...{ finished_at: row.finished_at, cut: cutOf(row)?.at ?? null, problem: row.problem },
    ...{ events: events ?? null, events_done: eventsDone, files, bytes, manifest_sha256: sha256 ?? null },
  };
};

const pieceBytes = 4 * 2 ** 20;

/** First and last byte of what is asked for; undefined where that is nothing. */
const rangeOf = (request: Request, size: number, etag: string): { first: number; last: number } | undefined => {
  const whole = { first: 0, last: size - 1 };
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (from === "" && to === "") return whole;
  const same = request.headers["if-range"];
  if (same !== undefined && same !== etag) return whole;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return first > last || first >= size ? undefined : { first, last };
};

export const createTakeoutEndpoints = ({ db, audit, store, connections, days, log }: TakeoutDeps): Endpoint[] => {
  const tag = "takeouts";
  const read = { access: "takeouts.read", tag } as const;
  const write = { access: "takeouts.write", tag } as const;

  /** Faults: `not_found`, `not_ready`. */
  const ready = async (tenant: string, id: string): Promise<TakeoutRow> => {
    const row = await withPostgres(() => findTakeout(db, tenant, id));
    const { state } = shown(row);
    if (state === "waiting" || state === "running")
      throw new Fault("not_ready", "It is still being written; ask for it again once its state is done.");
    if (state !== "done") throw new Fault("not_found", `The takeout is ${state}: its files are gone.`);
    return row;
  };

  const send = async (
    row: TakeoutRow,
    file: Pick<TakeoutFile, "name" | "bytes" | "sha256">,
    request: Request,
    response: Response,
  ): Promise<void> => {
    const etag = `"${file.sha256}"`;
    const range = rangeOf(request, file.bytes, etag);
    response.setHeader("ETag", etag);
    response.setHeader("Accept-Ranges", "bytes");
    if (range === undefined && file.bytes > 0) {
      response.setHeader("Content-Range", `bytes */${file.bytes}`);
      response.status(416).end();
      return;
    }
    const { first, last } = range ?? { first: 0, last: -1 };
    const place = await store.open(row);
    const partial = last - first + 1 !== file.bytes;
    const pieces = async function* (): AsyncGenerator<Buffer> {
      for (let at = first; at <= last; at += pieceBytes) {
        const end = Math.min(at + pieceBytes - 1, last);
        const piece = await place.getRange(file.name, at, end);
        if (piece?.length !== end - at + 1)
          throw new Fault("not_found", `${file.name} is not there as it was written.`);
        yield piece;
      }
    };
    // The first piece before the head: what is gone is answered, and not begun.
    const all = pieces();
    const begun = await all.next();
    response.status(partial ? 206 : 200);
    response.setHeader("Content-Type", "application/octet-stream");
    response.setHeader("Content-Length", String(last - first + 1));
    response.setHeader("Content-Disposition", `attachment; filename="${file.name.split("/").at(-1)}"`);
    if (partial) response.setHeader("Content-Range", `bytes ${first}-${last}/${file.bytes}`);
    const rest = async function* () {
      if (begun.done !== true) yield begun.value;
      yield* all;
    };
    const cut = await sendWhole(rest(), response);
    if (cut !== undefined) log.warn({ err: cut, takeout: row.id, tenant: row.tenant }, "a file of a takeout was cut");
  };

  const fetched = async (
    caller: Caller,
    id: string,
    name: string,
    request: Request,
    response: Response,
    isHere: () => boolean,
  ): Promise<void> => {
    const row = await ready(caller.tenant, id);
    mustCover(caller, { sources: "all" }, "fetch what holds all of them");
    if (!isHere()) throw new Fault("not_found", "There is no such file here; events are fetched from events.");
    audit.note(response, { action: "takeout.downloaded", target: { kind: "takeout", id } });
    if (name === takeoutNames.manifest) {
      const body = await (await store.open(row)).get(name);
      if (body === undefined) throw new Fault("not_found", "The manifest is gone.");
      return send(row, { name, bytes: body.length, sha256: progressOf(row).sha256 ?? "" }, request, response);
    }
    const file = await withPostgres(() => fileOf(db, id, name));
    if (file === undefined) throw new Fault("not_found", "The takeout has no such file.");
    return send(row, file, request, response);
  };
  const named = z.strictObject({
    name: z.string().max(300).default(takeoutNames.manifest).describe("As the manifest has it."),
  });
  const binary = { status: 200, content: "application/octet-stream" } as const;

  return [
    endpoint({
      ...{ ...read, method: "get", path: "/takeouts", summary: "What was taken out, newest first" },
      success: {
        status: 200,
        body: z.object({
          takeouts: z.array(shape),
          operator_store: z.boolean().describe("Whether one can be had without a bucket of one's own."),
          days: count.describe("How long one is kept at most."),
        }),
      },
      handle: async ({ caller }) => ({
        takeouts: (await withPostgres(() => listTakeouts(db, caller.tenant))).map(shown),
        ...{ operator_store: store.hasOwn, days },
      }),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/takeouts", summary: "Put everything of the organization into files" },
      ...{ body: wanted, stepUp: true, success: { status: 202, body: shape } },
      handle: async ({ caller, body, response }) => {
        mustCover(caller, { sources: "all" }, "take everything out");
        if (body.days !== undefined && body.days > days)
          throw new Fault("invalid_request", `days: must be ${days} at most on this installation.`);
        if (body.connection === null && !store.hasOwn)
          throw new Fault(
            "takeout_unavailable",
            "connection: the operator keeps no takeouts here; give the id of a storage connection of your own.",
          );
        return withPostgres(async () => {
          if (body.connection !== null) await connections.find(caller.tenant, body.connection);
          const asked = { parts: body.parts, connection: body.connection, days: body.days ?? days };
          return shown(await createTakeout(db, caller.tenant, asked, audit.by(response)));
        });
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/takeouts/:id", summary: "One takeout and how far it is" },
      success: { status: 200, body: shape },
      handle: async ({ caller, params }) => shown(await withPostgres(() => findTakeout(db, caller.tenant, params.id))),
    }),
    endpoint({
      ...{ ...write, method: "delete", path: "/takeouts/:id", summary: "Cancel a takeout, or remove its files" },
      success: { status: 200, body: shape },
      handle: async ({ caller, params, response }) => {
        const row = await withPostgres(() => cancelTakeout(db, caller.tenant, params.id, audit.by(response)));
        // Where its place is away, retention removes them once their time is over.
        await (await store.open(row))
          .clear()
          .catch((err: unknown) => log.warn({ err, takeout: row.id }, "its files stay"));
        return shown(row);
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/takeouts/:id/files", query: named, success: binary },
      summary: "Its manifest, or a file of the configuration or the audit trail",
      handle: ({ caller, params, query: { name }, request, response }) =>
        fetched(caller, params.id, name, request, response, () => {
          if (name === takeoutNames.audit && !caller.permissions.has("audit.read"))
            throw new Fault("forbidden", "The audit trail takes the permission audit.read.");
          return !name.startsWith("events/");
        }),
    }),
    endpoint({
      ...{ method: "get", path: "/takeouts/:id/events", access: "events.read", tag, query: named, success: binary },
      summary: "A file of its events",
      handle: ({ caller, params, query: { name }, request, response }) =>
        fetched(caller, params.id, name, request, response, () => name.startsWith("events/")),
    }),
  ];
};
