import { builtInRoles, givenByAdminKeys, keyKinds, keyPermissions, roles, tenantPermissions } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { effectiveOfKey, effectiveOfMember, type MemberFacts, type Sources } from "./effective.ts";
import { covers, mustCover } from "./grants.ts";

const ids = fc.uniqueArray(fc.constantFrom("src_a", "src_b", "src_c"));
const sources = fc.option(ids, { nil: null });
const names = fc.uniqueArray(fc.oneof(fc.constantFrom(...tenantPermissions), fc.constant("plans.write"), fc.string()));
const facts: fc.Arbitrary<MemberFacts> = fc.record({
  role: fc.oneof(fc.constantFrom(...builtInRoles), fc.constantFrom("rol_1", "gone", "__proto__", "constructor")),
  custom: fc.option(names, { nil: null }),
  sources,
  teams: fc.array(sources, { maxLength: 3 }),
});
const namesOf = (all: Sources): string[] => (all === "all" ? ["*"] : [...all].sort());

test("a member may what his role may and nothing else, and can give just that", () => {
  fc.assert(
    fc.property(facts, (member) => {
      const { permissions, grants } = effectiveOfMember(member);
      const built = builtInRoles.find((role) => role === member.role);
      const expected = new Set<string>(built === undefined ? (member.custom ?? []) : roles[built].may);
      for (const one of tenantPermissions) expect(permissions.has(one)).toBe(expected.has(one));
      expect([...permissions].every((one) => (tenantPermissions as readonly string[]).includes(one))).toBe(true);
      expect(grants).toEqual(permissions);
    }),
  );
});

test("he sees his own sources and his teams', in whatever order; another team never takes one away or gives a permission", () => {
  fc.assert(
    fc.property(facts, sources, (member, more) => {
      const before = effectiveOfMember(member);
      const lists = [member.sources, ...member.teams];
      const expected = lists.includes(null) ? ["*"] : [...new Set(lists.flatMap((list) => list ?? []))].sort();
      expect(namesOf(before.sources)).toEqual(expected);
      const after = effectiveOfMember({ ...member, teams: [more, ...member.teams.toReversed()] });
      expect(covers(after.sources, before.sources)).toBe(true);
      expect(after.permissions).toEqual(before.permissions);
    }),
  );
});

test("a key's scope narrows what its kind may; nothing widens it", () => {
  fc.assert(
    fc.property(fc.constantFrom(...keyKinds), names, ids, (kind, permissions, limited) => {
      const { permissions: held, grants, sources } = effectiveOfKey({ kind, permissions, sources: limited });
      const has: readonly string[] = keyPermissions[kind];
      expect([...held].sort()).toEqual(
        has.filter((one) => permissions.length === 0 || permissions.includes(one)).sort(),
      );
      expect(namesOf(sources)).toEqual(limited.length === 0 ? ["*"] : [...limited].sort());
      const beyond = [...grants].filter((one) => !held.has(one));
      expect(beyond).toEqual(kind === "admin" && permissions.length === 0 ? givenByAdminKeys : []);
    }),
  );
});

test("who may give something may give each part of it, and nobody gives what he has not", () => {
  fc.assert(
    fc.property(facts, facts, (giver, wanted) => {
      const [has, gives] = [effectiveOfMember(giver), effectiveOfMember(wanted)];
      const enough =
        [...gives.permissions].every((one) => has.permissions.has(one)) && covers(has.sources, gives.sources);
      const give = () => mustCover(has, gives, "do this");
      if (enough) expect(give).not.toThrow();
      else expect(give).toThrow(expect.objectContaining({ code: "forbidden" }));
    }),
  );
});

test("no role but the owner's makes owners, no key does, and operators' permissions are in none", () => {
  for (const role of builtInRoles) {
    expect([
      role,
      effectiveOfMember({ role, custom: null, sources: null, teams: [] }).grants.has("owners.write"),
    ]).toEqual([role, role === "owner"]);
  }
  for (const kind of keyKinds) {
    const { grants } = effectiveOfKey({ kind, permissions: [], sources: [] });
    for (const one of ["owners.write", "sso.write", "access.approve", "plans.write", "access.request"] as const)
      expect([kind, one, grants.has(one)]).toEqual([kind, one, false]);
  }
});
