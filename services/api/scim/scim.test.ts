import { isScimToken, keyKind, makeScimToken } from "@astralog/schemas";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseFilter } from "./scim-filter.ts";
import { patchBody, patchGroup, patchUser, readGroup, readUser } from "./scim-patch.ts";

const names = ["userName", "externalId", "active"] as const;
const user = readUser({ userName: "ann", externalId: "7", active: true, name: { givenName: "Ann" } });
const operations = (...list: unknown[]) => patchBody.parse({ Operations: list }).Operations;
const code = (scimType: string) => expect.objectContaining({ scimType });

test("filters compare an attribute with a value, several joined by and; anything else is refused", () => {
  expect(parseFilter(undefined, names)).toEqual([]);
  expect(parseFilter('userName eq "a\\"b and c"', names)).toEqual([{ attribute: "userName", value: 'a"b and c' }]);
  expect(parseFilter('USERNAME Eq "a" AND externalid eq "b" and active eq True', names)).toEqual([
    { attribute: "userName", value: "a" },
    { attribute: "externalId", value: "b" },
    { attribute: "active", value: "true" },
  ]);
  for (const text of [
    'userName co "a"',
    'password eq "a"',
    "userName eq a",
    'userName eq "a" or externalId eq "b"',
    'userName eq "a" and',
    'not (userName eq "a")',
    'userName eq "a" x',
    'userName eq "\\x"',
  ])
    expect(() => parseFilter(text, names)).toThrow(code("invalidFilter"));
  fc.assert(
    fc.property(fc.string(), (value) => {
      expect(parseFilter(`userName eq ${JSON.stringify(value)}`, names)).toEqual([{ attribute: "userName", value }]);
    }),
  );
});

test("what Okta and Entra send changes what it says, and nothing else", () => {
  expect(patchUser(user, operations({ op: "replace", value: { active: false } })).active).toBe(false);
  expect(patchUser(user, operations({ op: "Replace", path: "active", value: "False" })).active).toBe(false);
  expect(
    patchUser(
      user,
      operations(
        { op: "Add", path: "name.familyName", value: "Lee" },
        { op: "replace", path: 'emails[type eq "work"].value', value: "ann@corp.example" },
        { op: "replace", path: "urn:ietf:params:scim:schemas:core:2.0:User:displayName", value: "Ann Lee" },
        { op: "add", path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", value: "x" },
        { op: "remove", path: "externalId" },
      ),
    ),
  ).toEqual({
    ...{ userName: "ann", externalId: null, givenName: "Ann", familyName: "Lee", displayName: "Ann Lee" },
    ...{ active: true, email: "ann@corp.example" },
  });
  expect(() => patchUser(user, operations({ op: "remove" }))).toThrow(code("invalidPath"));
  expect(() => patchUser(user, operations({ op: "replace", path: "active", value: 1 }))).toThrow(code("invalidValue"));
  expect(() => patchUser(user, operations({ op: "remove", path: "userName" }))).toThrow(code("invalidValue"));
  expect(() => readUser({ displayName: "nobody" })).toThrow(code("invalidValue"));
});

test("nothing in a patch reaches a prototype", () => {
  const hostile = JSON.parse('{"__proto__":{"active":false},"constructor":{"prototype":{"x":1}}}') as unknown;
  for (const path of [undefined, "__proto__.active", "constructor.prototype.x"]) {
    const patched = patchUser(user, operations({ op: "add", path, value: hostile }));
    expect(patched).toEqual(user);
  }
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

test("members come and go one by one, in lists, and all at once", () => {
  const group = readGroup({ displayName: "Ops", members: [{ value: "a" }, { value: "b" }] });
  const after = (...list: unknown[]) => [...patchGroup(group, operations(...list)).members].sort();
  expect(after({ op: "add", path: "members", value: [{ value: "c" }] })).toEqual(["a", "b", "c"]);
  expect(after({ op: "remove", path: 'members[value eq "a"]' })).toEqual(["b"]);
  expect(after({ op: "remove", path: "members", value: [{ value: "b" }] })).toEqual(["a"]);
  expect(after({ op: "remove", path: "members" })).toEqual([]);
  expect(after({ op: "replace", value: { members: [{ value: "d" }] } })).toEqual(["d"]);
  expect([...group.members]).toEqual(["a", "b"]);
});

test("a SCIM token is told by its checksum, and is no key", () => {
  const token = makeScimToken();
  expect([isScimToken(token), keyKind(token)]).toEqual([true, undefined]);
  expect(isScimToken(`${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}`)).toBe(false);
});
