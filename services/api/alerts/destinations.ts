/**
 * Destinations in Postgres. Their secrets are sealed once, under the key that api and alerter share, and go as they are
 * into the control topic: telling people needs no Postgres, and neither place shows a token.
 */
import { Fault, makeWebhookSecret, type Outgoing, type Sealer } from "@astralog/chassis";
import { randomBase62 } from "@astralog/schemas";
import {
  type DestinationKind,
  type DestinationSecrets,
  type Escalation,
  type OnCall,
  sealedFor,
} from "@astralog/schemas/alerts/index";
import type { z } from "zod";
import { type By, recordAct } from "../audit/audit-trail.ts";
import { announceAlert } from "../control/outbox.ts";
import { type Db, lockTenant, type Trx } from "../postgres.ts";
import { announceDestination, type DestinationRow, definitionOf } from "./control-records.ts";
import { type changedDestination, givenShapes, type newDestination } from "./destination-shapes.ts";
import { listRules } from "./rules.ts";

export interface DestinationsDeps {
  readonly db: Db;
  readonly sealer: Sealer;
  readonly outgoing: Pick<Outgoing, "check">;
}

const mostDestinations = 200;

const find = async (db: Db | Trx, tenant: string, id: string, locked = false): Promise<DestinationRow> => {
  const row = await db
    .selectFrom("alert_destinations")
    .selectAll()
    .where("tenant", "=", tenant)
    .where("id", "=", id)
    .$if(locked, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) throw new Fault("not_found", "There is no such destination.");
  return row;
};

const listAll = (db: Db | Trx, tenant: string): Promise<DestinationRow[]> =>
  db
    .selectFrom("alert_destinations")
    .selectAll()
    .where("tenant", "=", tenant)
    .orderBy("created_at")
    .orderBy("id")
    .execute();

/** Those that another leads to. */
const ledTo = (kind: string, settings: unknown): string[] => {
  if (kind === "on_call") return [...(settings as OnCall).turns, ...(settings as OnCall).instead.map(({ to }) => to)];
  if (kind === "escalation") return (settings as Escalation).steps.flatMap(({ to }) => to);
  return [];
};

/** Faults: `invalid_request`. An escalation leads to targets and to those on call, those on call to targets alone. */
const checkLeads = async (trx: Trx, tenant: string, kind: string, settings: unknown): Promise<void> => {
  const wanted = ledTo(kind, settings);
  if (wanted.length === 0) return;
  const all = new Map((await listAll(trx, tenant)).map((row) => [row.id, row.kind]));
  const refused = kind === "on_call" ? ["on_call", "escalation"] : ["escalation"];
  for (const id of wanted) {
    const found = all.get(id);
    if (found === undefined) throw new Fault("invalid_request", `settings: there is no destination ${id}.`);
    if (refused.includes(found))
      throw new Fault("invalid_request", `settings: ${kind} cannot lead to ${id}, which is ${found}.`);
  }
};

/** Mail goes to members and to the organization's own domains: nobody else has asked for it. Faults: `invalid_request`. */
const checkMail = async (trx: Trx, tenant: string, kind: string, settings: unknown): Promise<void> => {
  if (kind !== "email") return;
  const to = (settings as { to: string[] }).to;
  const members = await trx
    .selectFrom("memberships")
    .innerJoin("people", "people.id", "memberships.person")
    .select("people.email")
    .where("memberships.tenant", "=", tenant)
    .execute();
  const domains = await trx
    .selectFrom("domains")
    .select("domain")
    .where("tenant", "=", tenant)
    .where("verified_at", "is not", null)
    .execute();
  const known = new Set(members.map(({ email }) => email.toLowerCase()));
  const own = new Set(domains.map(({ domain }) => domain.toLowerCase()));
  const stranger = to
    .map((one) => one.toLowerCase())
    .find((one) => !known.has(one) && !own.has(one.split("@")[1] ?? ""));
  if (stranger !== undefined)
    throw new Fault("invalid_request", `settings.to: ${stranger} is no member's, and its domain is not verified here.`);
};

export const createDestinations = ({ db, sealer, outgoing }: DestinationsDeps) => {
  const seal = (tenant: string, id: string, secrets: DestinationSecrets): string =>
    Object.keys(secrets).length === 0 ? "" : sealer.seal(sealedFor(tenant, id), JSON.stringify(secrets));
  const open = ({ tenant, id, sealed }: DestinationRow): DestinationSecrets =>
    sealed === "" ? {} : (JSON.parse(sealer.open(sealedFor(tenant, id), sealed)) as DestinationSecrets);

  /** Settings and secrets as their kind has them. Faults: `address_refused`, and a ZodError. */
  const read = (kind: DestinationKind, given: { settings: unknown; secrets: unknown }) => {
    const settings = givenShapes[kind].settings.parse(given.settings) as Record<string, unknown>;
    const secrets =
      given.secrets === undefined ? undefined : (givenShapes[kind].secrets.parse(given.secrets) as DestinationSecrets);
    if (kind === "webhook") outgoing.check(String(settings.url));
    if (secrets?.url === undefined) return { settings, secrets };
    outgoing.check(secrets.url);
    return { settings: { host: new URL(secrets.url).host }, secrets };
  };

  const act = (
    trx: Trx,
    by: By,
    row: DestinationRow,
    action: `alert.destination_${"created" | "changed" | "secret_rotated" | "removed" | "tested" | "disabled"}`,
    details: Record<string, boolean | number | string> = {},
  ) =>
    recordAct(trx, by, {
      ...{ tenant: row.tenant, action, target: { kind: "alert_destination", id: row.id } },
      details: { name: row.name, kind: row.kind, ...details },
    });

  const save = async (trx: Trx, id: string, changes: object): Promise<DestinationRow> => {
    const row = await trx
      .updateTable("alert_destinations")
      .set((set) => ({ ...changes, version: set("version", "+", 1), updated_at: new Date() }))
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    await announceDestination(trx, row);
    return row;
  };

  return {
    list: (tenant: string) => listAll(db, tenant),
    find: (tenant: string, id: string) => find(db, tenant, id),

    create: (
      tenant: string,
      given: z.output<typeof newDestination>,
      by: By,
    ): Promise<{ row: DestinationRow; secret: string }> => {
      const { settings, secrets = {} } = read(given.kind, given);
      return db.transaction().execute(async (trx) => {
        await lockTenant(trx, tenant);
        if ((await listAll(trx, tenant)).length >= mostDestinations)
          throw new Fault(
            "too_many",
            `An organization has ${mostDestinations} destinations at most; remove one first.`,
          );
        await checkLeads(trx, tenant, given.kind, settings);
        await checkMail(trx, tenant, given.kind, settings);
        const id = `dst_${randomBase62(12)}`;
        const secret = given.kind === "webhook" ? makeWebhookSecret() : "";
        const row = await trx
          .insertInto("alert_destinations")
          .values({
            ...{ id, tenant, name: given.name, kind: given.kind, standard: given.standard, disabled_at: null },
            ...{ settings: JSON.stringify(settings), template: JSON.stringify(given.template) },
            sealed: seal(tenant, id, secret === "" ? secrets : { secret }),
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        await announceDestination(trx, row);
        await act(trx, by, row, "alert.destination_created");
        return { row, secret };
      });
    },

    change: (
      tenant: string,
      id: string,
      given: z.output<typeof changedDestination>,
      unchanged: (row: DestinationRow) => void,
      by: By,
    ): Promise<DestinationRow> =>
      db.transaction().execute(async (trx) => {
        const before = await find(trx, tenant, id, true);
        unchanged(before);
        const kind = before.kind as DestinationKind;
        const secret = given.secrets;
        const isChat = (before.settings as { host?: string }).host !== undefined;
        const { settings, secrets } = read(kind, {
          settings: given.settings ?? (isChat ? {} : before.settings),
          secrets: secret,
        });
        await checkLeads(trx, tenant, kind, settings);
        await checkMail(trx, tenant, kind, settings);
        const row = await save(trx, id, {
          ...(given.name === undefined ? {} : { name: given.name }),
          ...(given.settings === undefined && (secrets === undefined || !isChat)
            ? {}
            : { settings: JSON.stringify(isChat && secrets === undefined ? before.settings : settings) }),
          ...(given.template === undefined ? {} : { template: JSON.stringify(given.template) }),
          ...(given.standard === undefined ? {} : { standard: given.standard }),
          // A webhook's secret is made here alone.
          ...(secrets === undefined || kind === "webhook" ? {} : { sealed: seal(tenant, id, secrets) }),
          ...(given.enabled === undefined
            ? {}
            : { disabled_at: given.enabled ? null : (before.disabled_at ?? new Date()), problem: "" }),
        });
        const fields = Object.keys(given).join(", ");
        await act(trx, by, row, "alert.destination_changed", { fields, enabled: row.disabled_at === null });
        return row;
      }),

    /** For `overlapSeconds` both secrets sign. Faults: `not_found`, `invalid_request`. */
    rotate: (
      tenant: string,
      id: string,
      overlapSeconds: number,
      by: By,
    ): Promise<{ row: DestinationRow; secret: string }> =>
      db.transaction().execute(async (trx) => {
        const before = await find(trx, tenant, id, true);
        if (before.kind !== "webhook")
          throw new Fault(
            "invalid_request",
            "Only a webhook's secret is made here; change the destination to give it another.",
          );
        const secret = makeWebhookSecret();
        const old = open(before).secret ?? "";
        const until = new Date(Date.now() + overlapSeconds * 1_000).toISOString();
        const sealed = seal(tenant, id, { secret, before: old, before_until: until });
        const row = await save(trx, id, { sealed });
        await act(trx, by, row, "alert.destination_secret_rotated", { overlap_seconds: overlapSeconds });
        return { row, secret };
      }),

    /** Faults: `not_found`, `in_use`, and those of `unchanged`. */
    remove: (tenant: string, id: string, unchanged: (row: DestinationRow) => void, by: By): Promise<void> =>
      db.transaction().execute(async (trx) => {
        const row = await find(trx, tenant, id, true);
        unchanged(row);
        const rule = (await listRules(trx, tenant)).find((one) => definitionOf(one).notify.includes(id));
        if (rule !== undefined) throw new Fault("in_use", `The rule ${rule.id} tells it; take it out there first.`);
        const other = (await listAll(trx, tenant)).find(({ kind, settings }) => ledTo(kind, settings).includes(id));
        if (other !== undefined) throw new Fault("in_use", `${other.name} leads to it; take it out there first.`);
        await trx.deleteFrom("alert_destinations").where("id", "=", id).execute();
        await announceAlert(trx, "alertDestinations", tenant, id, null);
        await act(trx, by, row, "alert.destination_removed");
      }),

    /** Under the present key, whatever sealed it before. */
    reseal: async (): Promise<number> => {
      const rows = await db
        .selectFrom("alert_destinations")
        .select(["id", "tenant", "sealed"])
        .where("sealed", "!=", "")
        .execute();
      const stale = rows.filter(({ sealed }) => !sealer.isPresent(sealed));
      for (const { id, tenant } of stale)
        await db.transaction().execute(async (trx) => {
          const row = await find(trx, tenant, id, true);
          await save(trx, id, { sealed: seal(tenant, id, open(row)) });
        });
      return stale.length;
    },

    tested: (row: DestinationRow, outcome: string, by: By) =>
      db.transaction().execute((trx) => act(trx, by, row, "alert.destination_tested", { outcome })),

    /** It answered 410 in this version; one that was changed since is another. */
    disable: async (tenant: string, id: string, version: number, problem: string, by: By): Promise<void> =>
      db.transaction().execute(async (trx) => {
        const row = await find(trx, tenant, id, true).catch(() => undefined);
        if (row === undefined || row.version !== version || row.disabled_at !== null) return;
        await act(trx, by, await save(trx, id, { disabled_at: new Date(), problem }), "alert.destination_disabled", {
          problem,
        });
      }),
  };
};

export type Destinations = ReturnType<typeof createDestinations>;
