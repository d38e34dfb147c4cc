/**
 * How often something may be tried, at all api processes together. Counts are held per key, for example an address or an account; nobody is locked out:
 * each count ends with its window, other ways in stay open, and a browser that was signed in before has its own count.
 */
import { Fault } from "@astralog/chassis";
import type { Request, Response } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import type { Db } from "../postgres.ts";
import { createTries } from "./tries.ts";

/** Faults: `too_many_requests`. */
export type Limit = (request: Request, response: Response, key: string) => Promise<void>;

/** `failures`: only answers that are errors count in the end; while one runs it counts too. */
export const createLimit = (
  db: Db,
  options: { minutes: number; limit: number; failures?: boolean; what: string },
): Limit => {
  const { minutes, limit, what } = options;
  const keys = new WeakMap<Request, string>();
  const count = rateLimit({
    windowMs: minutes * 60_000,
    store: createTries(db, what, minutes * 60_000),
    limit,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    skipSuccessfulRequests: options.failures === true,
    identifier: what.replaceAll(" ", "-"),
    keyGenerator: (request) => keys.get(request as Request) ?? "",
    handler: (_, __, next) =>
      next(new Fault("too_many_requests", `${limit} ${what} in ${minutes} minutes are enough; wait a little.`)),
  });
  return (request, response, key) =>
    new Promise((resolve, reject) => {
      keys.set(request, key);
      void count(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
    });
};

/** An address as limits see it: of IPv6 the network of one site. */
export const addressOf = (request: Request): string => ipKeyGenerator(request.ip ?? "");
