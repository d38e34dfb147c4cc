import { tenantPermissions } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  accessOf,
  endOf,
  type Grant,
  grantablePermissions,
  longestSeconds,
  proofMs,
  requestMs,
  stateOf,
  whyNotDecide,
} from "./decide.ts";

const t0 = Date.parse("2026-03-01T12:00:00Z");
const moment = fc.integer({ min: t0 - 48 * 3_600_000, max: t0 + 48 * 3_600_000 }).map((at) => new Date(at));
const person = fc.constantFrom("usr_a", "usr_b", "usr_c");

/** Any row, sensible or not: the laws do not rest on what wrote it. */
const anyGrant: fc.Arbitrary<Grant> = fc.record({
  person,
  permissions: fc.array(fc.constantFrom(...tenantPermissions, "plans.write", "everything")),
  seconds: fc.integer({ min: 0, max: 1_000_000 }),
  requested_at: moment,
  approved: fc.constantFrom(null, true, false),
  expires_at: fc.option(moment),
  ended_at: fc.option(moment, { freq: 1 }),
});
/** How long ago a second factor was proven, if ever. */
const anyProof = fc.option(fc.nat(2 * proofMs));
const now = moment.map((at) => at.getTime());

test("access is had only by the one who was approved, while it lasts, as staff, with a fresh second factor", () => {
  let opened = 0;
  fc.assert(
    fc.property(anyGrant, person, fc.boolean(), anyProof, now, (grant, who, staff, ago, at) => {
      const asker = { person: who, staff, mfaAt: ago === null ? null : new Date(at - ago) };
      const access = accessOf(grant, asker, at);
      const holds =
        grant.approved === true &&
        grant.ended_at === null &&
        grant.expires_at !== null &&
        at < grant.expires_at.getTime() &&
        asker.staff &&
        asker.person === grant.person;
      const proven = ago !== null && ago <= proofMs;
      if (typeof access === "object") opened++;
      expect(typeof access === "object").toBe(holds && proven);
      expect(access === "unproven").toBe(holds && !proven);
    }),
    { numRuns: 5_000 },
  );
  expect(opened).toBeGreaterThan(10);
  expect(accessOf(undefined, { person: "usr_a", staff: true, mfaAt: new Date(t0) }, t0)).toBe("none");
});

test("no grant gives more than was asked for, nor anything that gives rights or speaks for the organization", () => {
  const never = ["owners.write", "members.write", "roles.write", "keys.write", "sso.write", "access.approve"];
  fc.assert(
    fc.property(anyGrant, now, (grant, at) => {
      const active = { ...grant, approved: true, ended_at: null, expires_at: new Date(at + 1) };
      const access = accessOf(active, { person: grant.person, staff: true, mfaAt: new Date(at) }, at);
      if (typeof access === "string") throw new Error(`no access: ${access}`);
      for (const one of access) {
        expect(grant.permissions).toContain(one);
        expect(never).not.toContain(one);
      }
    }),
  );
  expect(grantablePermissions.filter((one) => never.includes(one))).toEqual([]);
});

test("nobody decides on his own request, nothing is decided twice or too late, and staff only where they are let", () => {
  fc.assert(
    fc.property(anyGrant, person, fc.constantFrom("member", "staff"), fc.boolean(), now, (grant, by, as, let_, at) => {
      const may = whyNotDecide(grant, { person: by, as: as as "member" | "staff" }, let_, at) === undefined;
      const open = grant.approved === null && grant.ended_at === null && at < grant.requested_at.getTime() + requestMs;
      expect(may).toBe(open && by !== grant.person && (as === "member" || let_));
    }),
    { numRuns: 2_000 },
  );
});

test("an approval lasts as long as was asked for, eight hours at most, and then is over", () => {
  fc.assert(
    fc.property(anyGrant, now, (grant, at) => {
      const end = endOf(grant, at);
      expect(end.getTime() - at).toBe(Math.min(grant.seconds, longestSeconds) * 1_000);
      const approved = { ...grant, approved: true, ended_at: null, expires_at: end };
      expect(stateOf(approved, end.getTime())).toBe("expired");
      if (grant.seconds > 0) expect(stateOf(approved, end.getTime() - 1)).toBe("active");
    }),
  );
});
