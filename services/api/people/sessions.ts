/**
 * Sessions live in Postgres, so ending one ends it everywhere with its commit. The cookie holds a token of 256 bits that
 * is new at each sign-in and at each second factor; Postgres holds its hash. A session ends when nobody used it for a
 * while, at a fixed age however busy it is, when it is told to, and when its person is disabled.
 */
import { randomBase62 } from "@astralog/schemas";
import type { SessionTable, SignInMethod } from "@astralog/schemas/postgres";
import { type Expression, type Selectable, sql } from "kysely";
import type { Db, Trx } from "../postgres.ts";
import { hashToken, newToken, tokenForm } from "./tokens.ts";

export interface LiveSession {
  readonly id: string;
  readonly person: string;
  readonly email: string;
  readonly name: string;
  readonly method: SignInMethod;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly mfaAt: Date | null;
  /** The only organization it is good in, or null. */
  readonly organization: string | null;
  /** Whether the person has a second factor. */
  readonly hasFactor: boolean;
  /** False while the person has a second factor and has not shown it: then it opens nothing but that. */
  readonly complete: boolean;
}

export interface NewSession {
  readonly person: string;
  readonly method: SignInMethod;
  readonly ip: string;
  readonly userAgent: string;
  readonly mfaAt?: Date | null;
  readonly organization?: string | null;
}

export type SessionRow = Omit<Selectable<SessionTable>, "token_hash">;

export interface Sessions {
  /** `token` is for the cookie, and nowhere else. */
  start(trx: Trx, wanted: NewSession): Promise<{ id: string; token: string }>;
  find(token: string): Promise<LiveSession | undefined>;
  /** A second factor was shown: the old token is worth nothing from here on. */
  prove(trx: Trx, id: string): Promise<string>;
  list(person: string): Promise<SessionRow[]>;
  /** Whether there was one of that person. */
  end(trx: Trx, person: string, id: string): Promise<boolean>;
  /** All but `except`; how many. */
  endAll(trx: Trx, person: string, except?: string): Promise<number>;
  /** Whatever the token opened, if anything: before a new one takes its place. */
  drop(trx: Trx, token: string): Promise<void>;
  /** Whether the person has a second factor, in use. */
  hasFactor(trx: Trx, person: string): Promise<boolean>;
  readonly lifeMs: number;
}

export const factorOf = (person: Expression<string>) => sql<boolean>`(
  exists (select from totp_factors f where f.person = ${person} and f.confirmed_at is not null)
  or exists (select from passkeys k where k.person = ${person}))`;

const seenEveryMs = 60_000;
const longestAgent = 200;

export const createSessions = (deps: { db: Db; idleMs: number; lifeMs: number }): Sessions => {
  const { db, idleMs, lifeMs } = deps;
  const rows = ["id", "person", "created_at", "seen_at", "expires_at", "ip", "user_agent", "method"] as const;
  const alive = () =>
    db
      .selectFrom("sessions")
      .where("sessions.expires_at", ">", new Date())
      .where("seen_at", ">", new Date(Date.now() - idleMs));
  return {
    lifeMs,
    start: async (trx, wanted) => {
      const token = newToken();
      const id = `ses_${randomBase62(12)}`;
      await trx
        .insertInto("sessions")
        .values({
          id,
          token_hash: hashToken(token),
          person: wanted.person,
          expires_at: new Date(Date.now() + lifeMs),
          ip: wanted.ip,
          user_agent: wanted.userAgent.slice(0, longestAgent),
          method: wanted.method,
          mfa_at: wanted.mfaAt ?? null,
          organization: wanted.organization ?? null,
        })
        .execute();
      return { id, token };
    },
    find: async (token) => {
      if (!tokenForm.test(token)) return undefined;
      const row = await alive()
        .innerJoin("people", "people.id", "sessions.person")
        .where("token_hash", "=", hashToken(token))
        .where("disabled_at", "is", null)
        .select([
          ...(["sessions.id", "person", "email", "name", "method", "sessions.created_at"] as const),
          ...(["sessions.expires_at", "seen_at", "mfa_at", "organization"] as const),
          factorOf(sql.ref("people.id")).as("has_factor"),
        ])
        .executeTakeFirst();
      if (row === undefined) return undefined;
      if (Date.now() - row.seen_at.getTime() > Math.min(seenEveryMs, idleMs / 10)) {
        await db.updateTable("sessions").set({ seen_at: new Date() }).where("id", "=", row.id).execute();
      }
      const { id, person, email, name, method, organization, has_factor: hasFactor, mfa_at: mfaAt } = row;
      const times = { createdAt: row.created_at, expiresAt: row.expires_at, mfaAt };
      return {
        id,
        person,
        email,
        name,
        method,
        organization,
        ...times,
        hasFactor,
        complete: !hasFactor || mfaAt !== null,
      };
    },
    prove: async (trx, id) => {
      const token = newToken();
      const proven = { token_hash: hashToken(token), mfa_at: new Date(), seen_at: new Date() };
      await trx.updateTable("sessions").set(proven).where("id", "=", id).returning("id").executeTakeFirstOrThrow();
      return token;
    },
    list: (person) =>
      alive()
        .select([...rows, "mfa_at", "organization"])
        .where("person", "=", person)
        .orderBy("seen_at", "desc")
        .execute(),
    end: async (trx, person, id) => {
      const { numDeletedRows } = await trx
        .deleteFrom("sessions")
        .where("person", "=", person)
        .where("id", "=", id)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
    endAll: async (trx, person, except = "") => {
      const { numDeletedRows } = await trx
        .deleteFrom("sessions")
        .where("person", "=", person)
        .where("id", "!=", except)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
    hasFactor: async (trx, person) => {
      const { rows } = await sql<{ has: boolean }>`select ${factorOf(sql.val(person))} as has`.execute(trx);
      return rows[0]?.has === true;
    },
    drop: async (trx, token) => {
      if (tokenForm.test(token)) await trx.deleteFrom("sessions").where("token_hash", "=", hashToken(token)).execute();
    },
  };
};
