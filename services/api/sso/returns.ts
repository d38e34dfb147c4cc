/** How the ways in answer: a browser stands there, not a program. */
import { Fault, type Log } from "@astralog/chassis";
import type { Response } from "express";
import type { SignInLimits } from "../people/sign-in-limits.ts";
import { withPostgres } from "../postgres.ts";
import { type ConnectionDeps, type OpenConnection, openConnection } from "./connections.ts";
import type { Oidc } from "./oidc.ts";
import type { SocialProvider } from "./social.ts";
import type { EnterDeps } from "./vouched.ts";

export interface FederatedDeps extends EnterDeps {
  readonly connections: ConnectionDeps;
  readonly social: readonly SocialProvider[];
  readonly oidc: Oidc;
  readonly limits: SignInLimits;
  readonly log: Log;
}

export const html = "text/html";

export interface Returns {
  /** Sends the browser where `work` says; what went wrong is told by the sign-in page, and in the trail. */
  asPage(response: Response, way: string, work: () => Promise<string>): Promise<undefined>;
  /** Faults: `not_found`. */
  openOne(id: string, kind?: OpenConnection["kind"]): Promise<OpenConnection>;
}

export const createReturns = ({ signIn, connections, log }: FederatedDeps): Returns => {
  const go = (response: Response, to: string): undefined => void response.redirect(303, to);

  const asPage = async (response: Response, way: string, work: () => Promise<string>): Promise<undefined> => {
    try {
      return go(response, await work());
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!error.retriable) await signIn.failed(response, undefined, `${way}: ${error.code}`);
      log.info({ err: error, way, request_id: response.locals.requestId as string }, "a federated sign-in was refused");
      return go(response, `/sign-in?problem=${encodeURIComponent(error.code)}`);
    }
  };

  const openOne = (id: string, kind?: OpenConnection["kind"]): Promise<OpenConnection> =>
    withPostgres(async () => {
      const found = await openConnection(connections, id);
      if (kind !== undefined && found.kind !== kind) throw new Fault("not_found", "There is no such connection.");
      return found;
    });

  return { asPage, openOne };
};
