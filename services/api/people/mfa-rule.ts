/** An organization may ask its members for a second factor: without one they can do nothing in it but set one up. */
import { Fault } from "@astralog/chassis";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { recordAct } from "../audit/audit-trail.ts";
import type { FoundSession } from "../http/authenticate.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";

export interface MfaRule {
  readonly endpoints: Endpoint[];
  /** Faults: `mfa_enrolment_required`. */
  mayAct(session: FoundSession, tenant: string): Promise<void>;
}

export const createMfaRule = ({ db, audit }: { db: Db; audit: Audit }): MfaRule => {
  const shape = z.object({ required: z.boolean() });
  const about = { path: "/organization/mfa", tag: "organization" } as const;
  const isRequired = async (tenant: string): Promise<boolean> => {
    const row = await db.selectFrom("tenants").select("require_mfa").where("id", "=", tenant).executeTakeFirst();
    return row?.require_mfa === true;
  };

  const read = endpoint({
    ...{ ...about, method: "get", access: "members.read", summary: "Whether members need a second factor" },
    success: { status: 200, body: shape },
    handle: ({ caller: { tenant } }) => withPostgres(async () => ({ required: await isRequired(tenant) })),
  });

  const write = endpoint({
    ...{
      ...about,
      method: "put",
      access: "organization.write",
      summary: "Ask members for a second factor, or no longer",
    },
    stepUp: true,
    body: z.strictObject({ required: z.boolean() }),
    success: { status: 200, body: shape },
    handle: ({ body: { required }, caller: { tenant }, response }) =>
      withPostgres(() =>
        db.transaction().execute(async (trx) => {
          await trx.updateTable("tenants").set({ require_mfa: required }).where("id", "=", tenant).execute();
          const target = { kind: "tenant", id: tenant };
          const act = { tenant, action: "organization.mfa_required", target, details: { required } } as const;
          await recordAct(trx, audit.by(response), act);
          return { required };
        }),
      ),
  });

  return {
    endpoints: [read, write],
    mayAct: async ({ session }, tenant) => {
      // Whoever has a factor has shown it: his session would not have come this far.
      if (session.mfaAt !== null || !(await withPostgres(() => isRequired(tenant)))) return;
      throw new Fault(
        "mfa_enrolment_required",
        "This organization asks for a second factor. Set one up in your account.",
      );
    },
  };
};
