/**
 * POST /partners/github/secret-scanning: GitHub tells of keys it found in public. No key of ours opens it; its signature
 * does, and it is checked over the bytes as they came, before anything is read from them.
 */
import { Fault, type Log, plainAddress } from "@astralog/chassis";
import express, { Router } from "express";
import type { Audit } from "../audit/audit-request.ts";
import { auditText, type By } from "../audit/audit-trail.ts";
import { type Db, withPostgres } from "../postgres.ts";
import type { PartnerKeys } from "./partner-keys.ts";
import { foundTokens, isSigned, type Notify, revokeFound } from "./secret-scanning.ts";

export interface PartnerRoutesDeps {
  readonly db: Db;
  readonly signer: By["signer"];
  readonly audit: Pick<Audit, "refused">;
  readonly keys: PartnerKeys;
  readonly notify: Notify;
  readonly log: Log;
}

const readJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw new Fault("invalid_request", "The body is not JSON.", { cause: error });
  }
};

/** The only ways into /api/v1 that ask for no key. */
export const createPartnerRoutes = (deps: PartnerRoutesDeps): Router => {
  const { audit, keys, signer, log } = deps;
  const router = Router();
  router.post(
    "/partners/github/secret-scanning",
    express.raw({ limit: "256kb", type: () => true }),
    async (request, response) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const id = request.get("github-public-key-identifier") ?? "";
      const signature = request.get("github-public-key-signature") ?? "";
      const key = id === "" || signature === "" ? undefined : await keys.find(id);
      if (key === undefined || !isSigned(body, signature, key)) {
        audit.refused(response, { reason: "secret scanning: no good signature" });
        throw new Fault("unauthorized", "The signature is missing, or is not of these bytes by a key we know.");
      }
      const tokens = foundTokens.parse(readJson(body));
      const by: By = {
        signer,
        actor: { kind: "system", id: "github-secret-scanning", name: "GitHub secret scanning" },
        where: {
          ip: plainAddress(request.ip ?? ""),
          user_agent: auditText(request.headers["user-agent"] ?? "").slice(0, 120),
          request_id: response.locals.requestId as string,
        },
      };
      const verdicts = await withPostgres(() => revokeFound(deps, tokens, by));
      const known = verdicts.filter(({ label }) => label === "true_positive").length;
      log.warn({ found: verdicts.length, known, request_id: by.where.request_id }, "a partner found keys in public");
      response.json(verdicts);
    },
  );
  return router;
};
