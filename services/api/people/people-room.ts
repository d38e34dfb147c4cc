/** Puts the room together: from connections to its endpoints, and what the other rooms need of it. */
import { createHmac } from "node:crypto";
import { Fault } from "@astralog/chassis";
import type { AuditCounts } from "../audit/audit-counts.ts";
import type { Audit } from "../audit/audit-request.ts";
import type { Act } from "../audit/audit-trail.ts";
import type { FoundSession, Sessions as RequestSessions } from "../http/authenticate.ts";
import type { Endpoint } from "../http/endpoint.ts";
import type { Mailer } from "../mail/mailer.ts";
import { type Db, type Trx, withPostgres } from "../postgres.ts";
import type { Envelope } from "../secrets/envelope.ts";
import { readCookie } from "./cookies.ts";
import { createFactorEndpoints } from "./factor-endpoints.ts";
import { createMeEndpoints, type OrganizationView } from "./me-endpoints.ts";
import { createMfaRule } from "./mfa-rule.ts";
import { createPasskeys } from "./passkeys.ts";
import { refuseCrossSite } from "./same-site.ts";
import { createSecondFactorEndpoints } from "./second-factor-endpoints.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { type Arrival, createSignIn, type SignIn } from "./sign-in.ts";
import { createSignInEndpoints, type Provider } from "./sign-in-endpoints.ts";
import { createSignInLimits, type SignInLimits } from "./sign-in-limits.ts";
import { createTotp } from "./totp.ts";

export interface PeopleDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly counts: AuditCounts;
  readonly mailer: Mailer;
  readonly envelope: Envelope;
  readonly publicUrl: URL;
  readonly secretsKey: Buffer;
  readonly idleMinutes: number;
  readonly lifeHours: number;
  readonly organizationsOf: (person: string) => Promise<readonly OrganizationView[]>;
  /** Whether somebody works for the platform. */
  readonly isOperator?: (person: string) => Promise<boolean>;
  readonly isInvited: (db: Db | Trx, email: string) => Promise<boolean>;
  /** Buttons of the sign-in page. */
  readonly providers?: () => readonly Provider[];
  /** Refuses a way in that an organization has closed. */
  readonly admit?: (trx: Trx, arrival: Arrival) => Promise<Act | undefined>;
  /** Where a browser goes that signs out of a session. */
  readonly leave?: (session: string) => Promise<string | undefined>;
}

export interface PeopleRoom {
  readonly endpoints: Endpoint[];
  /** For whatever asks who a request is from. */
  readonly requestSessions: RequestSessions;
  /** Refuses who may not act in an organization before he has a second factor. */
  readonly mayAct: (session: FoundSession, tenant: string) => Promise<void>;
  /** For other ways in. */
  readonly signIn: SignIn;
  readonly sessions: Sessions;
  readonly limits: SignInLimits;
}

export const createPeople = (deps: PeopleDeps): PeopleRoom => {
  const { db, audit, counts, mailer, envelope, publicUrl } = deps;
  const { origin } = publicUrl;
  const sessions = createSessions({ db, idleMs: deps.idleMinutes * 60_000, lifeMs: deps.lifeHours * 3_600_000 });
  const passkeys = createPasskeys({ db, publicUrl });
  const totp = createTotp(envelope);
  const limits = createSignInLimits(db);
  const signIn = createSignIn({
    ...{ db, sessions, audit, counts, origin },
    knownKey: createHmac("sha256", deps.secretsKey).update("known browsers").digest(),
    admit: deps.admit ?? (async () => undefined),
  });
  const mfa = createMfaRule({ db, audit });
  const common = { db, sessions, signIn, passkeys, totp, mailer, limits, publicUrl };

  return {
    signIn,
    sessions,
    limits,
    mayAct: mfa.mayAct,
    requestSessions: {
      find: async (request) => {
        const token = readCookie(request, "session");
        if (token === undefined) return undefined;
        const found = await withPostgres(() => sessions.find(token));
        if (found === undefined) throw new Fault("unauthorized", "The session has ended: sign in again.");
        if (!found.complete) throw new Fault("mfa_required", "Show your second factor first.");
        const { id, person, email, name, mfaAt, organization } = found;
        const operator = (await deps.isOperator?.(person)) ?? false;
        const actor = { kind: "user", id: person, name: name === "" ? email : name } as const;
        return { actor, email, session: { id, person, mfaAt }, organization, operator };
      },
      protect: (request) => refuseCrossSite(request, origin),
    },
    endpoints: [
      ...createSignInEndpoints({
        ...{ ...common, audit, counts },
        providers: deps.providers ?? (() => []),
        isInvited: deps.isInvited,
        leave: deps.leave ?? (async () => undefined),
      }),
      ...createSecondFactorEndpoints(common),
      ...createMeEndpoints({ ...common, organizationsOf: deps.organizationsOf }),
      ...createFactorEndpoints(common),
      ...mfa.endpoints,
    ],
  };
};
