/**
 * The dashboard's files, as services/dashboard builds them. Assets carry a hash in their name and are kept for a year;
 * every address that is no file is the dashboard's own and answered with its page.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RequestHandler } from "express";
import sirv from "sirv";

const dist = fileURLToPath(new URL("../../dashboard/dist", import.meta.url));

export const createDashboard = (folder = dist): RequestHandler => {
  if (!existsSync(folder)) {
    return (request, response, next) => {
      if (request.path !== "/") return next();
      response.status(503).type("text/plain").send("The dashboard is not built: npm run build -w services/dashboard\n");
    };
  }
  return sirv(folder, {
    single: true,
    gzip: true,
    brotli: true,
    etag: true,
    setHeaders: (response, path) =>
      response.setHeader(
        "Cache-Control",
        path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      ),
  });
};
