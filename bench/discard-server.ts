/** The least an HTTPS endpoint in Express can do: take the body, inflate it, throw it away, say yes. */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createGunzip } from "node:zlib";
import express from "express";

const [certFile = "", keyFile = ""] = process.argv.slice(2);
const app = express();
app.disable("x-powered-by");
app.post("/v1/events", (request, response) => {
  const inflated = request.pipe(createGunzip());
  inflated.resume();
  inflated.on("end", () => response.json({}));
  inflated.on("error", () => response.status(400).end());
});
const server = createServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, app);
server.listen(0, "127.0.0.1", () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
