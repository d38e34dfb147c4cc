/**
 * PATCH as RFC 7644 and the directories that speak it have it: operations in any case, with or without a path, sub
 * attributes by dots, elements by a filter, booleans as text. Attributes that are not kept here are passed over, because
 * directories send what they have; what is kept must be of its type.
 */
import { z } from "zod";
import { invalidValue, ScimError } from "./scim-error.ts";

const core = /^urn:ietf:params:scim:schemas:core:2\.0:(?:User|Group):/i;

export const patchBody = z.object({
  schemas: z.array(z.string()).optional(),
  Operations: z
    .array(
      z.object({
        op: z
          .string()
          .transform((op) => op.toLowerCase())
          .pipe(z.enum(["add", "replace", "remove"])),
        path: z.string().max(512).optional(),
        value: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(1_000),
});
type Operation = z.output<typeof patchBody>["Operations"][number];

export interface UserFields {
  userName: string;
  externalId: string | null;
  givenName: string;
  familyName: string;
  displayName: string;
  active: boolean;
  /** Undefined where nothing is said of it. */
  email: string | undefined;
}

const text = (name: string, value: unknown): string => {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string" || value.length > 512)
    throw invalidValue(`${name} must be text of 512 characters at most.`);
  return value;
};

const truth = (value: unknown): boolean => {
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && /^(true|false)$/i.test(value)) return value.toLowerCase() === "true";
  throw invalidValue("active must be true or false.");
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const listed = z.object({ value: z.string().max(254), primary: z.boolean().optional() });
const primaryEmail = (value: unknown): string | undefined => {
  const parsed = z
    .array(listed)
    .max(20)
    .safeParse(Array.isArray(value) ? value : [value]);
  if (!parsed.success) throw invalidValue("emails must be a list of objects with a value.");
  return (parsed.data.find(({ primary }) => primary === true) ?? parsed.data[0])?.value;
};

/** Sets one attribute by its path, or those of an object; null takes it away. */
const setUser = (user: UserFields, path: string, value: unknown): void => {
  const name = path.replace(core, "").toLowerCase();
  if (name === "" && isObject(value)) for (const [key, inner] of Object.entries(value)) setUser(user, key, inner);
  else if (name === "name" && isObject(value)) {
    for (const [key, inner] of Object.entries(value)) setUser(user, `name.${key}`, inner);
  } else if (name === "username") {
    const wanted = text("userName", value).trim();
    if (wanted === "") throw invalidValue("userName must be there.");
    user.userName = wanted;
  } else if (name === "externalid") user.externalId = text("externalId", value) || null;
  else if (name === "displayname") user.displayName = text("displayName", value);
  else if (name === "name.givenname") user.givenName = text("name.givenName", value);
  else if (name === "name.familyname") user.familyName = text("name.familyName", value);
  else if (name === "active") user.active = value === null ? false : truth(value);
  else if (name === "emails") user.email = value === null ? undefined : primaryEmail(value);
  else if (/^emails(\[[^\]]*\])?\.value$/.test(name)) user.email = text("emails.value", value) || undefined;
};

const nobody: UserFields = {
  ...{ userName: "", externalId: null, givenName: "", familyName: "", displayName: "", active: true, email: undefined },
};

/** From a whole resource. Throws ScimError `invalidValue`. */
export const readUser = (resource: unknown): UserFields => {
  const user = { ...nobody };
  if (!isObject(resource)) throw new ScimError(400, "Send a user as a JSON object.", "invalidSyntax");
  setUser(user, "", resource);
  if (user.userName === "") throw invalidValue("userName must be there.");
  return user;
};

/** Throws ScimError `invalidPath`, `invalidValue`. */
export const patchUser = (user: UserFields, operations: readonly Operation[]): UserFields => {
  const patched = { ...user };
  for (const { op, path = "", value } of operations) {
    if (op === "remove" && path === "") throw new ScimError(400, "Say which attribute to remove.", "invalidPath");
    if (op !== "remove" && path === "" && !isObject(value)) throw invalidValue("Without a path, value is an object.");
    setUser(patched, path, op === "remove" ? null : value);
  }
  return patched;
};

export interface GroupFields {
  displayName: string;
  externalId: string | null;
  members: ReadonlySet<string>;
}

const mostMembers = 10_000;
const references = z.array(z.object({ value: z.string().min(1).max(64) })).max(mostMembers);
const membersOf = (value: unknown): string[] => {
  if (value === null || value === undefined) return [];
  const parsed = references.safeParse(Array.isArray(value) ? value : [value]);
  if (!parsed.success) throw invalidValue("members must be a list of objects with a value.");
  return parsed.data.map((one) => one.value);
};

const without = (members: ReadonlySet<string>, gone: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...members].filter((one) => !gone.has(one)));

const setGroup = (group: GroupFields, op: Operation["op"], path: string, value: unknown): void => {
  const name = path.replace(core, "").toLowerCase();
  const one = /^members\[\s*value\s+eq\s+"([^"]+)"\s*\]$/i.exec(path.replace(core, ""))?.[1];
  if (name === "" && isObject(value)) for (const [key, inner] of Object.entries(value)) setGroup(group, op, key, inner);
  else if (name === "displayname") {
    const wanted = text("displayName", value).trim();
    if (wanted === "" || wanted.length > 100) throw invalidValue("displayName must have 1 to 100 characters.");
    group.displayName = wanted;
  } else if (name === "externalid") group.externalId = text("externalId", value) || null;
  else if (one !== undefined && op === "remove") group.members = without(group.members, new Set([one]));
  else if (name === "members") {
    const given = new Set(membersOf(value));
    if (op === "add") group.members = new Set([...group.members, ...given]);
    else if (op === "replace") group.members = given;
    // Some directories name whom to remove in the value; without one, all go.
    else group.members = given.size === 0 ? new Set() : without(group.members, given);
    if (group.members.size > mostMembers)
      throw new ScimError(400, `A group has ${mostMembers} members at most.`, "tooMany");
  }
};

/** From a whole resource. Throws ScimError `invalidValue`. */
export const readGroup = (resource: unknown): GroupFields => {
  if (!isObject(resource)) throw new ScimError(400, "Send a group as a JSON object.", "invalidSyntax");
  const group: GroupFields = { displayName: "", externalId: null, members: new Set() };
  setGroup(group, "replace", "", resource);
  if (group.displayName === "") throw invalidValue("displayName must be there.");
  return group;
};

/** Throws ScimError `invalidPath`, `invalidValue`, `tooMany`. */
export const patchGroup = (group: GroupFields, operations: readonly Operation[]): GroupFields => {
  const patched = { ...group };
  for (const { op, path = "", value } of operations) {
    if (op === "remove" && path === "") throw new ScimError(400, "Say which attribute to remove.", "invalidPath");
    setGroup(patched, op, path, value);
  }
  return patched;
};
