/** From what a provider vouches for to a session, a linked identity, or a letter to the holder of the address. */
import type { Request, Response } from "express";
import { recordPersonalAct } from "../people/acts.ts";
import { ensurePerson, findPerson } from "../people/people.ts";
import { withPostgres } from "../postgres.ts";
import { askHolder } from "./confirm-identity.ts";
import type { LinkDecision } from "./identity-link.ts";
import { addIdentity, arriveAs, decide, type EnterDeps, emailOf, nameOf, type Return, refused } from "./vouched.ts";

/** Where the browser goes next. Faults: `sign_in_refused` and those of SignIn. */
export const enter = async (deps: EnterDeps, request: Request, response: Response, one: Return): Promise<string> => {
  const { db, signIn } = deps;
  const decision = await withPostgres(() => decide(deps, db, one));
  if (decision.do === "refuse") throw refused(decision.reason);
  if (decision.do === "confirm") return askHolder(deps, request, response, one, decision);
  // Nobody's session is exchanged for linking something to it.
  if (one.person !== null) return linkToSelf(deps, request, response, one, decision);
  await signIn.arrive(request, response, async (trx) => {
    const again = await decide(deps, trx, one);
    if (again.do !== "enter" && again.do !== "create") throw refused("identity_of_another");
    const person =
      again.do === "create"
        ? await ensurePerson(trx, again.email, nameOf(one.vouched))
        : await findPerson(trx, again.person);
    if (person === undefined) throw refused("identity_of_another");
    return arriveAs(deps, trx, response, one, person, again.do === "create");
  });
  return one.returnTo;
};

const linkToSelf = async (
  { db, signIn }: EnterDeps,
  request: Request,
  response: Response,
  one: Return,
  decision: LinkDecision,
): Promise<string> => {
  const session = await signIn.sessionOf(request);
  if (session.person !== one.person) throw refused("identity_of_another");
  // It is his already: nothing to do.
  if (decision.do !== "link") return one.returnTo;
  const person = { id: session.person, email: session.email, name: session.name };
  await withPostgres(() =>
    db.transaction().execute(async (trx) => {
      const id = await addIdentity(trx, session.person, one);
      const details = { way: one.way, email: emailOf(one.vouched) ?? "" };
      const act = { action: "identity.linked", target: { kind: "identity", id }, details } as const;
      await recordPersonalAct(trx, signIn.by(response, person), session.person, act);
    }),
  );
  return one.returnTo;
};
