/**
 * Who asks, by one of two credentials: a key (Authorization: Bearer) or a session. Keys come from the control table
 * alone, so that the api answers searches without Postgres and a revoked key stops within a second. A key is never
 * logged; refusals do not tell an unknown key from an ended one.
 */
import type { ControlTable } from "@astralog/chassis";
import { Fault, isAllowed } from "@astralog/chassis";
import {
  hashKey,
  type KeyRecord,
  keyKind,
  type OperatorPermission,
  operatorPermissions,
  type Permission,
  systemChain,
} from "@astralog/schemas";
import type { Request, Response } from "express";
import { effectiveOfKey } from "../organizations/effective.ts";
import type { Caller, Person } from "./caller.ts";
import type { Access } from "./endpoint.ts";

/** A refusal's key when it is a known one, and why it was refused. */
export interface Refusal {
  readonly key?: { readonly tenant: string; readonly keyId: string };
  readonly reason: string;
}

export interface FoundSession extends Person {
  /** Whether he is an operator of the platform. */
  readonly operator: boolean;
}

export interface Sessions {
  /** Undefined when the request carries no session. Faults: `unauthorized` when it carries one that has ended. */
  find(request: Request): Promise<FoundSession | undefined>;
  /** Refuses what another site's page may have sent. Faults: `forbidden`. */
  protect(request: Request, session: FoundSession): void;
}

/** A person's place in one organization, as it is now. */
export type Membership = Pick<Caller, "tenant" | "permissions" | "grants" | "sources">;

export interface Memberships {
  /** In `organization`, or in the only one he has. Faults: `not_found`, `organization_needed`. */
  find(person: string, organization: string | undefined): Promise<Membership>;
}

/** His acts in a customer's trail do not look like a colleague's. */
export const staffActor = ({ actor }: Pick<Person, "actor">): Person["actor"] => ({
  ...actor,
  name: `${actor.name} (platform staff)`,
});

/** What an organization has let one of the platform's staff do there. */
export interface StaffAccess {
  /** Undefined when it lets him do nothing. Faults: `step_up_required`. */
  find(session: FoundSession, organization: string, response: Response): Promise<Membership | undefined>;
}

export interface AuthenticateDeps {
  readonly keys: Pick<ControlTable<KeyRecord>, "get" | "complete">;
  /** Without it, keys alone open the api. */
  readonly people?: {
    readonly sessions: Sessions;
    readonly memberships: Memberships;
    readonly staff?: StaffAccess;
    /** Refuses who does not meet what the organization asks of its members at sign-in. */
    mayAct?(session: FoundSession, tenant: string): Promise<void>;
  };
  /** Hears of each key that was good. */
  used?(key: string): void;
  /** Hears why somebody was refused, which he himself does not. */
  refused?(response: Response, refusal: Refusal): void;
}

/** What of an asker an endpoint needs to know. */
export type Needs = Exclude<Access, "anyone">;

export type Authenticate = (request: Request, response: Response, needs: Needs) => Promise<Caller | Person>;

const organizationHeader = "astralog-organization";
const isOperatorPermission = (needs: Needs): needs is OperatorPermission => Object.hasOwn(operatorPermissions, needs);

/** Faults: `starting`, `unauthorized`, and those of Sessions and Memberships. */
export const createAuthenticate = ({ keys, people, used, refused = () => {} }: AuthenticateDeps): Authenticate => {
  const stop = (response: Response, refusal: Refusal, message: string): never => {
    refused(response, refusal);
    throw new Fault("unauthorized", message);
  };

  const byKey = (request: Request, response: Response): Caller => {
    if (!keys.complete) throw new Fault("starting", "The keys are still being read.", { retriable: true });
    const key = /^Bearer +(\S{1,128})$/i.exec(request.headers.authorization ?? "")?.[1];
    if (key === undefined)
      return stop(response, { reason: "no key" }, "Send the header Authorization: Bearer <key>, or sign in.");
    if (keyKind(key) === undefined)
      return stop(response, { reason: "not a key" }, "This is no key: its form or checksum is wrong.");
    const record = keys.get(hashKey(key));
    const reason = record === undefined ? "unknown key" : endOf(record, request.ip ?? "");
    if (record !== undefined && reason === undefined) {
      used?.(record.id);
      return callerOfKey(record);
    }
    const known = record === undefined ? {} : { key: { tenant: record.tenant, keyId: record.id } };
    const refusal = { ...known, reason: reason ?? "" };
    return stop(response, refusal, "The key is unknown, has ended, or may not be used from here.");
  };

  return async (request, response, needs) => {
    // A browser adds cookies by itself, never this header: who sends it means it.
    const session = request.headers.authorization === undefined ? await people?.sessions.find(request) : undefined;
    if (people === undefined || session === undefined) {
      const caller = byKey(request, response);
      if (needs === "signed-in") throw new Fault("forbidden", "This is for people: sign in instead of using a key.");
      return caller;
    }
    people.sessions.protect(request, session);
    const { operator: isOperator, ...person } = session;
    if (needs === "signed-in") return person;
    if (isOperator && isOperatorPermission(needs)) return { ...person, ...operator };
    const organization = person.organization ?? request.get(organizationHeader);
    const granted =
      isOperator && organization !== undefined ? await people.staff?.find(session, organization, response) : undefined;
    if (granted !== undefined) return { ...person, actor: staffActor(session), ...granted };
    const membership = await people.memberships.find(person.session.person, organization);
    await people.mayAct?.(session, membership.tenant);
    return { ...person, ...membership };
  };
};

const none: ReadonlySet<Permission> = new Set();
const operator: Membership = {
  tenant: systemChain,
  permissions: new Set(Object.keys(operatorPermissions) as OperatorPermission[]),
  grants: none,
  sources: none as ReadonlySet<string>,
};

const callerOfKey = (record: KeyRecord): Caller => ({
  tenant: record.tenant,
  actor: { kind: "key", id: record.id, name: "" },
  ...effectiveOfKey(record),
});

/** Why a known key may not be used, or undefined when it may. */
const endOf = (record: KeyRecord, address: string): string | undefined => {
  if (record.revoked_at !== 0n) return "revoked key";
  if (record.expires_at !== 0n && record.expires_at <= BigInt(Date.now())) return "expired key";
  return isAllowed(address, record.ip_allowlist) ? undefined : "address not allowed";
};
