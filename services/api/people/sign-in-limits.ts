/** How often each way in may be tried: by an address, and for an account. */
import type { Request, Response } from "express";
import type { Db } from "../postgres.ts";
import { addressOf, createLimit } from "./limits.ts";

export interface SignInLimits {
  /** Links that are asked for. A known browser has a count of its own, so nobody can keep a person from his link. */
  links(request: Request, response: Response, email: string, known: boolean): Promise<void>;
  /** Wrong answers to a question that is asked of a person: codes, passkeys. */
  answers(request: Request, response: Response, person: string, known: boolean): Promise<void>;
  /** Challenges that are asked for: each is kept for a while. */
  questions(request: Request, response: Response): Promise<void>;
  /** Wrong answers where nobody is named: links, passkeys, the first owner's link. */
  knocks(request: Request, response: Response): Promise<void>;
}

export const createSignInLimits = (db: Db): SignInLimits => {
  const linksOfAddress = createLimit(db, { minutes: 15, limit: 60, what: "links asked for from one address" });
  const linksOfAccount = createLimit(db, { minutes: 15, limit: 5, what: "links for one account" });
  const answersOfAddress = createLimit(db, {
    minutes: 15,
    limit: 60,
    failures: true,
    what: "wrong answers from one address",
  });
  const answersOfAccount = createLimit(db, {
    minutes: 15,
    limit: 8,
    failures: true,
    what: "wrong answers for one account",
  });
  const questions = createLimit(db, { minutes: 15, limit: 120, what: "challenges for one address" });
  const knocks = createLimit(db, {
    minutes: 15,
    limit: 100,
    failures: true,
    what: "refused sign-ins from one address",
  });
  const account = (name: string, known: boolean): string => `${known ? "known" : "unknown"} ${name}`;
  return {
    links: async (request, response, email, known) => {
      await linksOfAddress(request, response, addressOf(request));
      await linksOfAccount(request, response, account(email, known));
    },
    answers: async (request, response, person, known) => {
      await answersOfAddress(request, response, addressOf(request));
      await answersOfAccount(request, response, account(person, known));
    },
    questions: (request, response) => questions(request, response, addressOf(request)),
    knocks: (request, response) => knocks(request, response, addressOf(request)),
  };
};
