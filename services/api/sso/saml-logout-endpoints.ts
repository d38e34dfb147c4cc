/**
 * Single logout. Who signs out here is signed out at once, and his browser is sent on to tell the provider; what that
 * answers changes nothing here. A provider's signed request ends the sessions it names, in whatever browser they are.
 */
import { randomBytes } from "node:crypto";
import type { Request, Response } from "express";
import { z } from "zod";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { recordPersonalAct } from "../people/acts.ts";
import { withPostgres } from "../postgres.ts";
import { samlParty } from "./addresses.ts";
import { type ConnectionDeps, type OpenConnection, openConnection } from "./connections.ts";
import { createReturns, type FederatedDeps, html } from "./returns.ts";
import { refused } from "./saml-form.ts";
import {
  answerLogout,
  askLogout,
  checkPostedRequest,
  checkRedirectedRequest,
  type LogoutRequest,
  readPostedAnswer,
  readRedirectedAnswer,
} from "./saml-logout.ts";
import { onlyOnce, samlAddresses, samlProvider } from "./saml-provider.ts";

/** Where a browser goes that signs out of this session, so that its provider hears of it; call it before it ends. */
export type Leave = (session: string) => Promise<string | undefined>;

const messageId = (): string => `_${randomBytes(20).toString("hex")}`;
const signedOut = "/sign-in";

export const createLeave =
  (connections: ConnectionDeps, publicUrl: URL): Leave =>
  async (session) => {
    const { db } = connections;
    const row = await db.selectFrom("saml_sessions").selectAll().where("session", "=", session).executeTakeFirst();
    if (row === undefined) return undefined;
    const found = await db
      .selectFrom("sso_connections")
      .select("logout_url")
      .where("id", "=", row.connection)
      .where("enabled", "=", true)
      .executeTakeFirst();
    if (found === undefined || found.logout_url === null) return undefined;
    const connection = await openConnection(connections, row.connection);
    return askLogout(await samlAddresses(connections, connection), samlParty(publicUrl, connection.id), {
      ...{ requestId: messageId(), nameId: row.name_id, format: row.name_id_format },
      sessionIndex: row.session_index,
    });
  };

const form = z.object({
  SAMLRequest: z.string().max(600_000).optional(),
  SAMLResponse: z.string().max(600_000).optional(),
  RelayState: z.string().max(1_024).optional(),
});

export const createSamlLogoutEndpoints = (deps: FederatedDeps): Endpoint[] => {
  const { db, publicUrl, connections, log, signIn } = deps;
  const { asPage, openOne } = createReturns(deps);
  const path = "/auth/saml/:connection/slo" as const;
  const common = { access: "anyone", tag: "sign-in", success: { status: 303, content: html } } as const;
  const searchOf = ({ originalUrl }: Request): string => originalUrl.replace(/^[^?]*/, "");

  const obey = async (response: Response, connection: OpenConnection, asked: LogoutRequest, relayState = "") => {
    await withPostgres(async () => {
      await onlyOnce(db, connection.id, asked);
      await endSessions(response, connection, asked);
    });
    if (connection.logout_url === null) return signedOut;
    const one = { answerId: messageId(), requestId: asked.id, relayState };
    return answerLogout(await samlAddresses(connections, connection), samlParty(publicUrl, connection.id), one);
  };

  const endSessions = (response: Response, connection: OpenConnection, asked: LogoutRequest): Promise<void> =>
    db.transaction().execute(async (trx) => {
      const meant = trx
        .selectFrom("saml_sessions")
        .select("session")
        .where("connection", "=", connection.id)
        .where("name_id", "=", asked.nameId);
      const indexed =
        asked.sessionIndexes.length === 0 ? meant : meant.where("session_index", "in", asked.sessionIndexes);
      const ended = await trx.deleteFrom("sessions").where("id", "in", indexed).returning(["id", "person"]).execute();
      const by = signIn.by(response, { id: connection.id, email: "", name: connection.name });
      for (const { id, person } of ended) {
        await recordPersonalAct(trx, { ...by, actor: { ...by.actor, kind: "system" } }, person, {
          ...{ action: "session.ended", target: { kind: "session", id }, details: { connection: connection.id } },
        });
      }
    });

  const heard = (connection: OpenConnection, ended: boolean): string => {
    if (ended) return signedOut;
    log.info({ connection: connection.id }, "a provider kept its session when somebody signed out");
    return `${signedOut}?problem=provider_session_open`;
  };

  const redirected = endpoint({
    ...{ ...common, method: "get", path, summary: "A SAML provider signs somebody out, or answers our request to" },
    query: z.object({ SAMLRequest: z.string().optional(), RelayState: z.string().max(1_024).optional() }),
    handle: ({ params, query, request, response }) =>
      asPage(response, "saml logout", async () => {
        const connection = await openOne(params.connection, "saml");
        const [provider, party] = [samlProvider(connection), samlParty(publicUrl, connection.id)];
        const search = searchOf(request);
        if (query.SAMLRequest === undefined) return heard(connection, readRedirectedAnswer(provider, party, search));
        return obey(response, connection, checkRedirectedRequest(provider, party, search), query.RelayState);
      }),
  });

  const posted = endpoint({
    ...{ ...common, method: "post", path, summary: "The same, by a provider's form" },
    takes: "form",
    bodyLimit: "768kb",
    body: form,
    handle: ({ params, body, response }) =>
      asPage(response, "saml logout", async () => {
        const connection = await openOne(params.connection, "saml");
        const [provider, party] = [samlProvider(connection), samlParty(publicUrl, connection.id)];
        if (body.SAMLResponse !== undefined)
          return heard(connection, readPostedAnswer(provider, party, body.SAMLResponse));
        if (body.SAMLRequest === undefined) throw refused("it is empty");
        return obey(response, connection, await checkPostedRequest(provider, party, body.SAMLRequest), body.RelayState);
      }),
  });

  return [redirected, posted];
};
