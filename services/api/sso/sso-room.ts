/** Puts the room together: the ways in through others, what organizations set up for that, and SCIM. */
import type { Log, Outgoing } from "@astralog/chassis";
import type { Router } from "express";
import type { Audit } from "../audit/audit-request.ts";
import type { Endpoint } from "../http/endpoint.ts";
import type { Mailer } from "../mail/mailer.ts";
import type { PeopleRoom } from "../people/people-room.ts";
import type { Provider } from "../people/sign-in-endpoints.ts";
import type { Db, Trx } from "../postgres.ts";
import { createScimEndpoints } from "../scim/scim-endpoints.ts";
import { createScimRouter } from "../scim/scim-router.ts";
import type { Envelope } from "../secrets/envelope.ts";
import { createFindTexts } from "./domains.ts";
import { createFederatedEndpoints } from "./federated-endpoints.ts";
import { createIdentityEndpoints } from "./identity-endpoints.ts";
import { createOidc } from "./oidc.ts";
import type { SocialProvider } from "./social.ts";
import { createSsoEndpoints } from "./sso-endpoints.ts";

export interface SsoRoomDeps {
  readonly db: Db;
  readonly audit: Audit;
  readonly envelope: Envelope;
  readonly mailer: Mailer;
  readonly outgoing: Outgoing;
  readonly people: Pick<PeopleRoom, "signIn" | "limits">;
  readonly social: readonly SocialProvider[];
  readonly publicUrl: URL;
  readonly dnsServers: readonly string[];
  readonly requestsPerMinute: number;
  readonly isInvited: (db: Db | Trx, email: string) => Promise<boolean>;
  readonly log: Log;
}

/** The buttons of the sign-in page. */
export const providersOf = (social: readonly SocialProvider[]): Provider[] =>
  social.map(({ id, name }) => ({ id, name, url: `/api/v1/auth/with/${id}` }));

export const createSso = (deps: SsoRoomDeps): { readonly endpoints: Endpoint[]; readonly scim: Router } => {
  const { db, audit, envelope, mailer, outgoing, social, publicUrl, isInvited, log } = deps;
  const { signIn, limits } = deps.people;
  const connections = { db, envelope, outgoing };
  const oidc = createOidc({ outgoing, log });
  const findTexts = createFindTexts(deps.dnsServers);
  return {
    endpoints: [
      ...createFederatedEndpoints({ db, signIn, mailer, publicUrl, limits, isInvited, connections, social, oidc, log }),
      ...createIdentityEndpoints({ db, signIn, social, publicUrl }),
      ...createSsoEndpoints({ db, audit, connections, findTexts, oidc, publicUrl }),
      ...createScimEndpoints({ db, audit }),
    ],
    scim: createScimRouter({ db, audit, publicUrl, log, requestsPerMinute: deps.requestsPerMinute }),
  };
};
