/**
 * POST /partners/github/secret-scanning: GitHub tells of keys it found in public. No key of ours opens it; its signature
 * does, and it is checked over the bytes as they came, before anything is read from them.
 */
import { Fault, type Log } from "@astralog/chassis";
import { z } from "zod";
import type { Audit } from "../audit/audit-request.ts";
import { type Endpoint, endpoint } from "../http/endpoint.ts";
import { type Db, withPostgres } from "../postgres.ts";
import type { PartnerKeys } from "./partner-keys.ts";
import { foundTokens, isSigned, type Notify, revokeFound } from "./secret-scanning.ts";

export interface PartnerDeps {
  readonly db: Db;
  readonly audit: Pick<Audit, "by" | "refused">;
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

export const createPartnerEndpoints = (deps: PartnerDeps): Endpoint[] => {
  const { audit, keys, log } = deps;
  const found = endpoint({
    ...{ method: "post", path: "/partners/github/secret-scanning", access: "anyone", tag: "partners" },
    summary: "GitHub tells of keys it found in public; its signature opens this",
    takes: "bytes",
    bodyLimit: "256kb",
    success: { status: 200, body: z.array(z.looseObject({ label: z.string() })) },
    handle: async ({ request, response }) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const id = request.get("github-public-key-identifier") ?? "";
      const signature = request.get("github-public-key-signature") ?? "";
      const key = id === "" || signature === "" ? undefined : await keys.find(id);
      if (key === undefined || !isSigned(body, signature, key)) {
        audit.refused(response, { reason: "secret scanning: no good signature" });
        throw new Fault("unauthorized", "The signature is missing, or is not of these bytes by a key we know.");
      }
      const tokens = foundTokens.parse(readJson(body));
      const by = audit.by(response, { kind: "system", id: "github-secret-scanning", name: "GitHub secret scanning" });
      const verdicts = await withPostgres(() => revokeFound(deps, tokens, by));
      const known = verdicts.filter(({ label }) => label === "true_positive").length;
      log.warn({ found: verdicts.length, known, request_id: by.where.request_id }, "a partner found keys in public");
      return verdicts;
    },
  });
  return [found];
};
