import { Fault } from "@astralog/chassis";
import { instantForms, parseInstant } from "@astralog/schemas/query/index";
import { Router } from "express";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { callerOf } from "../authenticate.ts";
import type { Window } from "./ledger-queries.ts";
import type { createVerify } from "./verify-run.ts";

const input = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  /** Seconds to wait for what is on its way. */
  wait: z.coerce.number().min(0).max(120).default(0),
});

/** Whole minutes, as the ledger sums. */
const windowOf = (from: string | undefined, to: string | undefined): Window | undefined => {
  if (from === undefined && to === undefined) return undefined;
  const now = Date.now();
  const minute = (name: string, text: string | undefined, otherwise: number): number => {
    const found = text === undefined ? BigInt(otherwise) * 1_000_000n : parseInstant(text, now);
    if (found === undefined) throw new Fault("invalid_request", `${name}: is no time. ${instantForms}`);
    return Number(found / 60_000_000_000n) * 60;
  };
  return { from: minute("from", from, 0), to: minute("to", to, now + 60_000) };
};

export const createVerifyRoutes = (deps: {
  verify: ReturnType<typeof createVerify>;
  audit: Pick<Audit, "note">;
  sourceNames(tenant: string): ReadonlyMap<string, string>;
}): Router => {
  const router = Router();
  router.get("/verify", async (request, response) => {
    const { from, to, wait } = input.parse(request.query);
    const { tenant } = callerOf(response);
    // Counted: the command asks again and again until all has settled.
    deps.audit.note(response, { action: "verify.run", target: { kind: "ledger", id: "" } });
    response.json(
      await deps.verify(tenant, { window: windowOf(from, to), waitMs: wait * 1000, names: deps.sourceNames(tenant) }),
    );
  });
  return router;
};
