/**
 * One of the staff in an organization that let him in: read anew for each request, so that access which is ended is gone
 * with the commit. The first request of each session is told in the organization's trail before it is answered.
 */
import { Fault } from "@astralog/chassis";
import type { Response } from "express";
import type { Audit } from "../audit/audit-request.ts";
import { recordAct } from "../audit/audit-trail.ts";
import { type FoundSession, type Membership, type StaffAccess, staffActor } from "../http/authenticate.ts";
import { type Db, withPostgres } from "../postgres.ts";
import { accessOf } from "./decide.ts";
import type { GrantRow } from "./grants.ts";
import { isStaff } from "./staff.ts";

const usedEveryMs = 60_000;

export const createStaffAccess = ({ db, audit }: { db: Db; audit: Pick<Audit, "by"> }): StaffAccess => {
  const current = (tenant: string, person: string): Promise<GrantRow | undefined> =>
    db
      .selectFrom("access_grants")
      .selectAll()
      .where("tenant", "=", tenant)
      .where("person", "=", person)
      .where("approved", "=", true)
      .where("ended_at", "is", null)
      .orderBy("expires_at", "desc")
      .limit(1)
      .executeTakeFirst();

  const noteUse = async (grant: GrantRow, found: FoundSession, response: Response): Promise<void> => {
    const { tenant } = grant;
    const session = found.session.id;
    await db.transaction().execute(async (trx) => {
      const first = await trx
        .insertInto("access_uses")
        .values({ access_grant: grant.id, session })
        .onConflict((conflict) => conflict.doNothing())
        .returning("session")
        .executeTakeFirst();
      if (first === undefined && Date.now() - (grant.used_at?.getTime() ?? 0) < usedEveryMs) return;
      await trx.updateTable("access_grants").set({ used_at: new Date() }).where("id", "=", grant.id).execute();
      if (first === undefined) return;
      await recordAct(trx, audit.by(response, staffActor(found)), {
        ...{ tenant, action: "staff_access.used", target: { kind: "access_grant", id: grant.id } },
        details: { session, reason: grant.reason },
      });
    });
  };

  return {
    find: (found, organization, response) =>
      withPostgres(async (): Promise<Membership | undefined> => {
        const { person, mfaAt } = found.session;
        const grant = await current(organization, person);
        // Asked anew: who is staff no more has no access, whatever his session remembers.
        const staff = grant !== undefined && (await isStaff(db, person));
        const access = accessOf(grant, { person, staff, mfaAt }, Date.now());
        if (grant === undefined || access === "none") return undefined;
        if (access === "unproven")
          throw new Fault("step_up_required", "Prove your second factor again, then repeat this.");
        await noteUse(grant, found, response);
        return { tenant: organization, permissions: access, grants: new Set(), sources: "all" };
      }),
  };
};
