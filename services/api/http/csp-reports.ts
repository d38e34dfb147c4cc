/**
 * Browsers tell here what the Content-Security-Policy has kept a page from. That is either our own mistake or somebody's
 * attempt, so it is counted and logged; but anybody may write here, and an address may hold a secret, so of a report only
 * this is kept: which directive, the blocked address' origin, and the page's first path segment.
 */
import type { Log } from "@astralog/chassis";
import express, { Router } from "express";
import { rateLimit } from "express-rate-limit";
import { z } from "zod";
import type { ApiMetrics } from "../metrics.ts";
import { sendProblem } from "./problems.ts";

export const reportPath = "/csp-reports";
/** Its name in the policy's report-to, for browsers that know the Reporting API; others read report-uri. */
export const reportGroup = "csp";

const fetched = ["default", "script", "style", "font", "img", "connect", "object", "media", "frame", "child", "worker"];
const directives: ReadonlySet<string> = new Set([
  ...fetched.flatMap((kind) => [`${kind}-src`, `${kind}-src-elem`, `${kind}-src-attr`]),
  ...["manifest-src", "base-uri", "form-action", "frame-ancestors"],
]);

const text = z.string().max(4_096).default("");
const old = z
  .looseObject({ "effective-directive": text, "violated-directive": text, "blocked-uri": text, "document-uri": text })
  .transform((report) => ({
    directive: report["effective-directive"] || (report["violated-directive"].split(" ")[0] ?? ""),
    blocked: report["blocked-uri"],
    page: report["document-uri"],
  }));
const body = z
  .looseObject({ effectiveDirective: text, blockedURL: text, documentURL: text })
  .transform(({ effectiveDirective, blockedURL, documentURL }) => ({
    directive: effectiveDirective,
    blocked: blockedURL,
    page: documentURL,
  }));
const reports = z.union([
  z.looseObject({ "csp-report": old }).transform((one) => [one["csp-report"]]),
  z
    .array(
      z.union([
        z.looseObject({ type: z.literal("csp-violation"), body }),
        // A browser may send others, too, in the same request.
        z.looseObject({ type: z.string().regex(/^(?!csp-violation$)/) }).transform(() => ({ body: undefined })),
      ]),
    )
    .max(100)
    .transform((all) => all.flatMap((one) => one.body ?? [])),
]);

/** `https://host:port`, a word of the standard such as `inline`, or `other`. */
const originOf = (blocked: string): string => {
  if (["inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "data", "blob"].includes(blocked))
    return blocked;
  const url = URL.parse(blocked);
  if (url === null) return "other";
  return url.origin === "null" ? url.protocol : url.origin;
};

/** `/sources` of `https://logs.example/sources/src_1?q=…`: the rest may be somebody's. */
const pageOf = (page: string): string =>
  `/${
    URL.parse(page)
      ?.pathname.split("/")[1]
      ?.replace(/[^\w.-]/g, "") ?? ""
  }`;

/** Different reports that one process logs; more are only counted. */
const mostLogged = 200;

export const createCspReports = ({ metrics, log }: { metrics: Pick<ApiMetrics, "cspReports">; log: Log }): Router => {
  const logged = new Set<string>();
  const router = Router();
  router.post(
    reportPath,
    rateLimit({
      ...{ windowMs: 60_000, limit: 60, standardHeaders: "draft-8", legacyHeaders: false },
      handler: (_, response) =>
        sendProblem(response, "too_many_requests", "60 requests with reports a minute are taken."),
    }),
    express.json({ type: ["application/reports+json", "application/csp-report"], limit: "64kb" }),
    (request, response) => {
      const found = reports.safeParse(request.body);
      if (!found.success) return sendProblem(response, "invalid_request", "The body is no report of a browser.");
      for (const { directive: name, blocked, page } of found.data) {
        const directive = directives.has(name) ? name : "other";
        metrics.cspReports.inc({ directive });
        const report = { directive, blocked: originOf(blocked), page: pageOf(page) };
        const id = JSON.stringify(report);
        if (logged.has(id) || logged.size >= mostLogged) continue;
        logged.add(id);
        log.warn(report, "a browser kept a page from what its policy forbids");
      }
      response.status(204).end();
    },
  );
  return router;
};
