/**
 * Brings a takeout into an organization that has no events yet. Nothing is taken before its manifest is known to be signed; files of
 * the configuration and the trail are held to it by their hash, and in the end the store is held to its counts and checksums.
 */
import { hash } from "node:crypto";
import type { Bucket, ControlTable, Log } from "@astralog/chassis";
import { Fault } from "@astralog/chassis";
import type { AuditSigner, SourceRecord } from "@astralog/schemas";
import type { RetentionRule } from "@astralog/schemas/retention/index";
import { configurationOf, type TakeoutManifest, takeoutNames, takeoutProblems } from "@astralog/schemas/takeout";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { recordAct } from "../audit/audit-trail.ts";
import type { Caller } from "../http/caller.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { mustCover } from "../organizations/grants.ts";
import { readPlan } from "../plans/tenant-plans.ts";
import { withPostgres } from "../postgres.ts";
import { listRules, ruleOf } from "../retention/rules.ts";
import { type ConfigurationDeps, kindOf, makeEntry, whyNot } from "./import-configuration.ts";
import { type EventImport, eventsBody } from "./import-events.ts";
import type { ImportSums } from "./import-sums.ts";
import {
  createImport,
  findImport,
  findImportOf,
  finishImport,
  type ImportedFile,
  type ImportRow,
  idsOf,
  importedFiles,
  listImports,
  manifestOf,
  notesOf,
  saveImportedFile,
  saveNote,
} from "./imports.ts";

export interface ImportDeps extends ConfigurationDeps {
  readonly audit: Pick<Audit, "by">;
  readonly signer: AuditSigner;
  readonly sources: Pick<ControlTable<SourceRecord>, "get">;
  readonly events: EventImport;
  readonly sums: ImportSums;
  /** Where trails of others are kept. */
  readonly own: Bucket | undefined;
  readonly log: Log;
}

const count = z.int();
const noteShape = z.object({
  ...{ file: z.string(), id: z.string(), name: z.string(), detail: z.string() },
  outcome: z.enum(["imported", "existing", "invited", "refused", "secret", "left"]),
});
const fileShape = z.object({ name: z.string(), accepted: count, refused: z.record(z.string(), count) });
const sumShape = z.object({
  ...{ source: z.string(), was: z.string().describe("Its id in the other Astralog."), expected: count, found: count },
  same: z.boolean().nullable().describe("Whether every row is the same; null where some were refused."),
});
const shape = z.object({
  ...{ id: z.string(), takeout: z.string(), organization: z.object({ id: z.string(), name: z.string() }) },
  ...{ key_id: z.string(), requested_by: z.string(), created_at: z.iso.datetime() },
  finished_at: z.iso.datetime().nullable(),
  files: z.array(fileShape).describe("Of events, those that are through."),
  notes: z.array(noteShape),
  result: z.object({ sources: z.array(sumShape), ok: z.boolean() }).nullable(),
});

/** Letters of other files than the one they are said to be of. */
const mustBe = (manifest: TakeoutManifest, name: string, body: Buffer) => {
  const file = manifest.files.find((one) => one.name === name);
  if (file === undefined) throw new Fault("takeout_refused", `The manifest names no file ${name}.`);
  if (body.length !== file.bytes || hash("sha256", body) !== file.sha256)
    throw new Fault("takeout_refused", `${name} is not the file that was signed: fetch it again.`);
  return file;
};

const entriesOf = (body: Buffer, name: string): unknown[] => {
  const read = JSON.parse(body.toString("utf8")) as { entries?: unknown };
  if (!Array.isArray(read.entries)) throw new Fault("takeout_refused", `${name} has no entries.`);
  return read.entries;
};

const trailName = ({ tenant, id }: Pick<ImportRow, "tenant" | "id">): string => `imports/${tenant}/${id}/audit.jsonl`;

export const createImportEndpoints = (deps: ImportDeps): Endpoint[] => {
  const { db, audit, sums, own, log } = deps;
  const tag = "takeouts";
  const read = { access: "takeouts.read", tag } as const;
  const write = { access: "takeouts.write", tag } as const;
  const named = z.strictObject({ name: z.string().max(300).default("").describe("As the manifest has it.") });
  const bodyOf = (body: unknown): Buffer => (body instanceof Buffer ? body : Buffer.alloc(0));

  const shown = async (row: ImportRow) => {
    const { organization, key_id } = manifestOf(row);
    const result = row.result as { sources: z.output<typeof sumShape>[]; ok: boolean } | null;
    return {
      ...{ id: row.id, takeout: row.takeout, organization, key_id, requested_by: row.requested_by },
      ...{ created_at: row.created_at, finished_at: row.finished_at, files: await importedFiles(db, row.id) },
      ...{ notes: notesOf(row), result },
    };
  };

  /** Faults: `not_found`, `already_decided`. */
  const open = async (caller: Caller, id: string): Promise<ImportRow> => {
    mustCover(caller, { sources: "all" }, "bring events in");
    const row = await withPostgres(() => findImport(db, caller.tenant, id));
    if (row.finished_at !== null) throw new Fault("already_decided", "The import is finished; nothing more is taken.");
    return row;
  };

  const policyOf = async (tenant: string, source: SourceRecord) => ({
    tenant,
    planDays: (await readPlan(db, tenant)).limits.retention_days,
    sources: new Map([[source.source, { days: source.retention_days, name: source.name }]]),
    rules: (await listRules(db, tenant)).map(ruleOf) as RetentionRule[],
  });

  /** By source of theirs: what the manifest says, what was taken, and what is stored. */
  const compare = async (row: ImportRow) => {
    const files = new Map((await importedFiles(db, row.id)).map((one) => [one.name, one]));
    const theirs = Map.groupBy(
      manifestOf(row).files.filter(({ kind }) => kind === "events"),
      ({ source = "" }) => source,
    );
    const ours = idsOf(row).sources ?? {};
    const stored = await sums(row.tenant, row.created_at.getTime());
    const sources = [...theirs].map(([was, all]) => {
      const through = all.flatMap(({ name }) => files.get(name) ?? []);
      const expected = through.reduce((sum, { accepted }) => sum + accepted, 0);
      const source = ours[was] ?? "";
      const found = stored.get(source) ?? { rows: 0, checksum: 0n };
      const whole = all.reduce((sum, { rows }) => sum + rows, 0) === expected;
      const checksum = all.reduce((sum, one) => BigInt.asUintN(64, sum + BigInt(one.checksum ?? 0)), 0n);
      return { source, was, expected, found: found.rows, same: whole ? found.checksum === checksum : null };
    });
    const stands = sources.every(({ expected, found, same }) => expected === found && same !== false);
    return { sources, stands, missing: [...theirs.values()].flat().filter(({ name }) => !files.has(name)).length };
  };

  return [
    endpoint({
      ...{ ...read, method: "get", path: "/imports", summary: "Takeouts of other Astralogs that were brought in" },
      success: { status: 200, body: z.object({ imports: z.array(shape) }) },
      handle: ({ caller }) =>
        withPostgres(async () => ({ imports: await Promise.all((await listImports(db, caller.tenant)).map(shown)) })),
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/imports", summary: "Begin to bring in a takeout, or go on with one" },
      body: z.strictObject({
        manifest: z.looseObject({
          id: z.string().max(64),
          public_key: z.string().max(100),
          files: z.array(z.unknown()),
        }),
        public_key: z.string().max(100).optional().describe("The key that must have signed; else the manifest's own."),
      }),
      ...{ bodyLimit: "64mb", stepUp: true, success: { status: 200, body: shape } },
      handle: async ({ caller, body, response }) => {
        mustCover(caller, { sources: "all" }, "bring events in");
        const manifest = body.manifest as unknown as TakeoutManifest;
        const [problem] = takeoutProblems(manifest, body.public_key ?? manifest.public_key);
        if (problem !== undefined) throw new Fault("takeout_refused", `${problem}.`);
        return withPostgres(async () => {
          const there = await findImportOf(db, caller.tenant, manifest.id);
          if (there !== undefined) return shown(there);
          const events = [...(await sums(caller.tenant, Date.now())).values()].reduce((sum, one) => sum + one.rows, 0);
          if (events > 0)
            throw new Fault(
              "takeout_refused",
              `The organization has ${events} events; a takeout is brought into one that has none.`,
            );
          return shown(await createImport(db, caller.tenant, manifest, audit.by(response)));
        });
      },
    }),
    endpoint({
      ...{ ...read, method: "get", path: "/imports/:id", summary: "One import and what was made of each file" },
      success: { status: 200, body: shape },
      handle: ({ caller, params }) => withPostgres(async () => shown(await findImport(db, caller.tenant, params.id))),
    }),
    endpoint({
      ...{
        ...write,
        method: "post",
        path: "/imports/:id/configuration",
        summary: "Bring in a file of the configuration",
      },
      ...{ query: named, takes: "bytes", bodyLimit: "64mb" },
      success: { status: 200, body: z.object({ notes: z.array(noteShape) }) },
      handle: async ({ caller, params, query: { name }, request, response }) => {
        const row = await open(caller, params.id);
        const body = bodyOf(request.body);
        const file = configurationOf(name);
        if (file === undefined) throw new Fault("takeout_refused", `${name} is no file of the configuration.`);
        mustBe(manifestOf(row), name, body);
        const by = audit.by(response);
        for (const entry of entriesOf(body, name)) {
          const given = entry as { id?: unknown; person?: unknown; name?: unknown; email?: unknown };
          const id = String(given.id ?? given.person ?? "");
          const now = await withPostgres(() => findImport(db, caller.tenant, row.id));
          if (notesOf(now).some((one) => one.file === file && one.id === id && one.outcome !== "refused")) continue;
          const called = String(given.name ?? given.email ?? "").slice(0, 200);
          const about = { file, id, name: called } as const;
          try {
            const {
              outcome,
              detail = "",
              to,
            } = await withPostgres(() => makeEntry(deps, file, entry, { caller, by, ids: idsOf(now) }));
            const kind = kindOf[file];
            await saveNote(db, row.id, { ...about, outcome, detail }, kind && to ? { kind, to } : undefined);
          } catch (error) {
            const detail = whyNot(error);
            if (detail === undefined) throw error;
            await saveNote(db, row.id, { ...about, outcome: "refused", detail });
          }
        }
        return { notes: notesOf(await findImport(db, caller.tenant, row.id)).filter((one) => one.file === file) };
      },
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/imports/:id/events", summary: "Bring in some of a file's events" },
      ...{ body: eventsBody, bodyLimit: "32mb", success: { status: 202, body: fileShape.omit({ name: true }) } },
      handle: async ({ caller, params, body: { name, records } }) => {
        const row = await open(caller, params.id);
        const { files } = manifestOf(row);
        const ordinal = files.findIndex((one) => one.name === name && one.kind === "events");
        const was = files[ordinal]?.source;
        if (was === undefined) throw new Fault("takeout_refused", `The manifest names no file of events ${name}.`);
        const id = idsOf(row).sources?.[was];
        if (id === undefined)
          throw new Fault("takeout_refused", `Its source ${was} was not brought in; bring in the configuration first.`);
        const source = deps.sources.get(`${caller.tenant}/${id}`);
        if (source === undefined)
          throw new Fault("starting", "The source is not known everywhere yet; try again in a moment.", {
            retriable: true,
          });
        const policy = await withPostgres(() => policyOf(caller.tenant, source));
        const begun = row.created_at.getTime();
        return deps.events({ run: row.id, tenant: caller.tenant, source, file: ordinal, begun }, records, policy);
      },
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/imports/:id/files", summary: "Say that a file's events are all sent" },
      ...{ body: fileShape, success: { status: 204 } },
      handle: async ({ caller, params, body }) => {
        const row = await open(caller, params.id);
        const file = manifestOf(row).files.find((one) => one.name === body.name && one.kind === "events");
        if (file === undefined)
          throw new Fault("takeout_refused", `The manifest names no file of events ${body.name}.`);
        const refused = Object.values(body.refused).reduce((sum, one) => sum + one, 0);
        if (body.accepted + refused !== file.rows)
          throw new Fault("invalid_request", `accepted and refused must be ${file.rows} together, the file's rows.`);
        await withPostgres(() => saveImportedFile(db, row.id, body as ImportedFile));
      },
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/imports/:id/audit", summary: "Keep the other Astralog's audit trail" },
      ...{ takes: "bytes", bodyLimit: "128mb", success: { status: 204 } },
      handle: async ({ caller, params, request, response }) => {
        const row = await open(caller, params.id);
        const body = bodyOf(request.body);
        const manifest = manifestOf(row);
        mustBe(manifest, takeoutNames.audit, body);
        if (own === undefined)
          throw new Fault("takeout_unavailable", "The operator keeps no files here; keep the trail where it lies.");
        if (!(await own.putNew(trailName(row), body))) return;
        await withPostgres(() =>
          db.transaction().execute((trx) =>
            recordAct(trx, audit.by(response), {
              ...{ tenant: caller.tenant, action: "takeout.audit_imported", target: { kind: "import", id: row.id } },
              details: {
                ...{ organization: manifest.organization.id, sha256: hash("sha256", body) },
                ...{ head_seq: manifest.audit_head?.seq ?? 0, head: manifest.audit_head?.hash ?? "" },
              },
            }),
          ),
        );
      },
    }),
    endpoint({
      ...{
        method: "get",
        path: "/imports/:id/audit",
        access: "audit.read",
        tag,
        summary: "That trail, as it was signed",
      },
      success: { status: 200, content: "application/jsonl" },
      handle: async ({ caller, params, response }) => {
        const row = await withPostgres(() => findImport(db, caller.tenant, params.id));
        const body = await own?.get(trailName(row));
        if (body === undefined) throw new Fault("not_found", "No trail was brought in with it.");
        response.status(200).type("application/jsonl").send(body);
      },
    }),
    endpoint({
      ...{
        ...read,
        method: "get",
        path: "/imports/:id/comparison",
        summary: "What is stored of it, and what should be",
      },
      success: {
        status: 200,
        body: z.object({ sources: z.array(sumShape), stands: z.boolean(), missing: count.describe("Files to come.") }),
      },
      handle: async ({ caller, params }) => {
        const row = await withPostgres(() => findImport(db, caller.tenant, params.id));
        return compare(row);
      },
    }),
    endpoint({
      ...{ ...write, method: "post", path: "/imports/:id/finish", summary: "End an import, with what was found" },
      success: { status: 200, body: shape },
      handle: async ({ caller, params, response }) => {
        const row = await open(caller, params.id);
        const { sources, stands, missing } = await compare(row);
        if (missing > 0) throw new Fault("not_ready", `${missing} files of events have not been brought in yet.`);
        const coming = sources.reduce((sum, { expected, found }) => sum + Math.max(0, expected - found), 0);
        if (coming > 0) throw new Fault("not_ready", `${coming} events are still on their way into the store.`);
        const files = await importedFiles(db, row.id);
        const refused = files.reduce((sum, one) => sum + Object.values(one.refused).reduce((a, b) => a + b, 0), 0);
        const details = {
          ...{ takeout: row.takeout, ok: stands, refused },
          events: sources.reduce((sum, { found }) => sum + found, 0),
        };
        await withPostgres(() => finishImport(db, row, { sources, ok: stands }, details, audit.by(response)));
        log.info({ import: row.id, tenant: row.tenant, ...details }, "an import is finished");
        return withPostgres(async () => shown(await findImport(db, caller.tenant, row.id)));
      },
    }),
  ];
};
