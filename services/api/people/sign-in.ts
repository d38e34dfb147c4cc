/**
 * How somebody who has shown who he is comes in: one place for all ways, so that each of them ends the session that was
 * there, begins a new one, is told of in the trail, and asks for the second factor where there is one.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Fault, plainAddress } from "@astralog/chassis";
import type { SignInMethod } from "@astralog/schemas/postgres";
import type { Request, Response } from "express";
import type { AuditCounts } from "../audit/audit-counts.ts";
import type { Audit } from "../audit/audit-request.ts";
import { type Act, type By, recordAct } from "../audit/audit-trail.ts";
import { type Db, type Trx, withPostgres } from "../postgres.ts";
import { chainsOf, recordPersonalAct } from "./acts.ts";
import { readCookie, setCookie } from "./cookies.ts";
import type { Person } from "./people.ts";
import { refuseCrossSite } from "./same-site.ts";
import type { LiveSession, Sessions } from "./sessions.ts";

export interface Arrival {
  readonly person: Person;
  readonly method: SignInMethod;
  /** When the way in was a second factor by itself. */
  readonly mfaAt?: Date;
  /** When the session is to be good in that organization only. */
  readonly organization?: string;
  /** Told of the session, in the same transaction. */
  readonly started?: (session: string) => Promise<void>;
}

/** What a sign-in answers: who it is, and whether a second factor is still to be shown. */
export interface SignedIn {
  readonly person: { readonly id: string; readonly email: string; readonly name: string };
  readonly second_factor_needed: boolean;
}

export interface SignInDeps {
  readonly db: Db;
  readonly sessions: Sessions;
  readonly audit: Audit;
  readonly counts: AuditCounts;
  /** Of PUBLIC_URL. */
  readonly origin: string;
  /** What the mark of a known browser is made with. */
  readonly knownKey: Buffer;
  /**
   * Refuses ways that an organization of that person has closed. Faults as it likes. What it gives is told in the trail
   * of an organization that the person belongs to.
   */
  readonly admit: (trx: Trx, arrival: Arrival) => Promise<Act | undefined>;
}

export interface SignIn {
  /** Runs `prove` in a transaction and lets in whom it names. Faults: `account_disabled`, and those of `prove`. */
  arrive(request: Request, response: Response, prove: (trx: Trx) => Promise<Arrival>): Promise<SignedIn>;
  /** A second factor in a session: `prove` throws or it was shown. */
  prove(
    request: Request,
    response: Response,
    session: LiveSession,
    factor: string,
    prove: (trx: Trx) => Promise<void>,
  ): Promise<SignedIn>;
  /** The session of a request from our own pages, also one whose second factor is missing. Faults: `unauthorized`. */
  sessionOf(request: Request): Promise<LiveSession>;
  /** Somebody did not show what he had to: in the trails of the person, when one is known. */
  failed(response: Response, person: Pick<Person, "id" | "name"> | undefined, reason: string): Promise<void>;
  /** A person as one who acts. */
  by(response: Response, person: Pick<Person, "id" | "email" | "name">): By;
  /** Whether this browser has been signed in with that address before. */
  isKnown(request: Request, email: string): boolean;
}

const knownSeconds = 180 * 24 * 3600;

export const createSignIn = (deps: SignInDeps): SignIn => {
  const { db, sessions, audit, counts, origin, admit } = deps;
  const markOf = (email: string): string =>
    createHmac("sha256", deps.knownKey).update(`known browser\n${email}`).digest("base64url");
  const by: SignIn["by"] = (response, { id, email, name }) =>
    audit.by(response, { kind: "user", id, name: name === "" ? email : name });
  const setSession = (response: Response, token: string): void =>
    setCookie(response, "session", token, sessions.lifeMs / 1000);
  const setKnown = (response: Response, email: string): void =>
    setCookie(response, "known", markOf(email), knownSeconds);

  const failed: SignIn["failed"] = async (response, person, reason) => {
    const actor =
      person === undefined
        ? ({ kind: "anonymous", id: "" } as const)
        : ({ kind: "user", id: person.id, name: person.name } as const);
    const target = { kind: "person", id: person?.id ?? "" };
    for (const tenant of await chainsOf(db, person?.id)) {
      counts.note(audit.by(response, actor), { tenant, action: "sign_in.failed", target, result: "denied" }, reason);
    }
  };

  return {
    by,
    failed,
    arrive: async (request, response, prove) => {
      refuseCrossSite(request, origin);
      const { token, answer } = await withPostgres(() =>
        db.transaction().execute(async (trx) => {
          const arrival = await prove(trx);
          const { person, method, mfaAt = null, organization = null } = arrival;
          if (person.disabled_at !== null) throw new Fault("account_disabled", "This account is disabled.");
          const told = await admit(trx, arrival);
          await sessions.drop(trx, readCookie(request, "session") ?? "");
          const ip = plainAddress(request.ip ?? "");
          const userAgent = request.headers["user-agent"] ?? "";
          const started = await sessions.start(trx, { person: person.id, method, ip, userAgent, mfaAt, organization });
          await arrival.started?.(started.id);
          const target = { kind: "session", id: started.id };
          await recordPersonalAct(trx, by(response, person), person.id, {
            ...{ action: "sign_in.ok", target, details: { method } },
          });
          if (told !== undefined) await recordAct(trx, by(response, person), told);
          const second_factor_needed = mfaAt === null && (await sessions.hasFactor(trx, person.id));
          const { id, email, name } = person;
          return { token: started.token, answer: { person: { id, email, name }, second_factor_needed } };
        }),
      );
      setSession(response, token);
      // Not before all was shown: who has the mailbox alone does not share the count of its owner.
      if (!answer.second_factor_needed) setKnown(response, answer.person.email);
      return answer;
    },
    prove: async (request, response, session, factor, prove) => {
      refuseCrossSite(request, origin);
      const person = { id: session.person, email: session.email, name: session.name };
      const token = await withPostgres(() =>
        db.transaction().execute(async (trx) => {
          await prove(trx);
          const fresh = await sessions.prove(trx, session.id);
          const target = { kind: "session", id: session.id };
          await recordPersonalAct(trx, by(response, person), person.id, {
            ...{ action: "sign_in.second_factor", target, details: { factor } },
          });
          return fresh;
        }),
      );
      setSession(response, token);
      setKnown(response, person.email);
      return { person, second_factor_needed: false };
    },
    sessionOf: async (request) => {
      refuseCrossSite(request, origin);
      const session = await withPostgres(() => sessions.find(readCookie(request, "session") ?? ""));
      if (session === undefined) throw new Fault("unauthorized", "You are not signed in, or the session has ended.");
      return session;
    },
    isKnown: (request, email) => {
      const given = Buffer.from(readCookie(request, "known") ?? "");
      const mark = Buffer.from(markOf(email));
      return given.length === mark.length && timingSafeEqual(given, mark);
    },
  };
};
