/**
 * A cookie says which browser asks, not which page. So what a cookie carries, or sets, is only done for pages of our own:
 * browsers say so in Sec-Fetch-Site, older ones in Origin, and neither can be written by a page.
 */
import { Fault } from "@astralog/chassis";
import type { Request } from "express";

const safe = new Set(["GET", "HEAD", "OPTIONS"]);

/** Faults: `cross_site`. `origin` is ours, as in PUBLIC_URL. */
export const refuseCrossSite = (request: Request, origin: string): void => {
  if (safe.has(request.method)) return;
  const site = request.headers["sec-fetch-site"];
  const from = request.headers.origin;
  // What a browser says of itself must agree: a page that is no page of ours has no say by leaving one of them out.
  if (site === undefined ? from === origin : site === "same-origin") return;
  throw new Fault("cross_site", "This came from another site. Open Astralog itself and do it there.");
};
