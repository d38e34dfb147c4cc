/** For the real tests: people and keys of an organization, and what each is answered. */
import type { Platform, RunningService } from "@astralog/testbed";
import { asking, plantMember, plantSession, type Reply } from "../http/access.driver.ts";
import type { Db } from "../postgres.ts";

export type As = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>;

/** Refuses nobody for asking often. */
export const patient = { REQUESTS_PER_MINUTE: "1000000", REFUSALS_PER_MINUTE: "1000000" };

export const actorsOf = (one: Platform, api: RunningService, db: Db) => {
  const ask = asking(api, new URL(one.env("api").PUBLIC_URL ?? "").origin);
  const asPerson = async (person: string, organization = one.tenant, mfaAt?: Date | null): Promise<As> => {
    const cookie = await plantSession(db, person, null, mfaAt);
    return (method, path, body, headers) =>
      ask({ cookie, "astralog-organization": organization, ...headers }, method, path, body);
  };
  return {
    asPerson,
    asKey:
      (key: string): As =>
      (method, path, body, headers) =>
        ask({ authorization: `Bearer ${key}`, ...headers }, method, path, body),
    /** Somebody new, with a session. */
    member: async (role: string, options: { sources?: string[] | null; email?: string } = {}) => {
      const person = await plantMember(db, one.tenant, role, options);
      return { person, call: await asPerson(person) };
    },
  };
};
