/** What people give for a ClickHouse of their own, and what is shown of it. The password goes in and never comes out. */
import { ownModes } from "@astralog/schemas/own-clickhouse";
import { z } from "zod";
import { nameShape } from "../http/text.ts";

const url = z
  .url()
  .max(300)
  .refine((text) => {
    const { pathname, search, hash } = new URL(text);
    return pathname === "/" && search === "" && hash === "";
  }, "must have no path, such as https://clickhouse.example.com:8443")
  .describe("Of the server's HTTPS interface, on port 443 or 8443; on a cluster that of one server, not a balancer.");
const identifier = (what: string) =>
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, `must be ${what}: 1 to 63 letters, digits or _, no digit first`);
const username = z.string().regex(/^[A-Za-z_][\w.@-]{0,62}$/, "must be 1 to 63 letters, digits, _ . @ or -");
const password = z.string().regex(/^[\x20-\x7e]{1,256}$/, "must be 1 to 256 printable ASCII characters");
const cluster = z
  .string()
  .regex(/^(?:[A-Za-z_][\w.-]{0,62})?$/, "must be a cluster's name, or empty")
  .describe("As the server's remote_servers names it: tables are replicated and distributed. Empty: one server.");
const mode = z
  .enum(ownModes)
  .describe("off: nothing is written; beside: as well as in Astralog; instead: there alone, and searched there.");

export const newClickHouse = z.strictObject({
  ...{ name: nameShape, url, username, password, database: identifier("a database's name") },
  cluster: cluster.default(""),
  mode: mode.default("beside"),
});

export const changedClickHouse = z
  .strictObject({
    ...{ name: nameShape.optional(), mode: mode.optional() },
    username: username.optional(),
    password: password.optional(),
    abandon: z
      .boolean()
      .optional()
      .describe(
        "With mode off: although events wait that are kept nowhere else. They are lost with Kafka's retention.",
      ),
  })
  .refine((changes) => Object.keys(changes).length > 0, "name at least one field to change")
  .refine((changes) => changes.username === undefined || changes.password !== undefined, {
    message: "give password with username",
  });

const date = z.iso.datetime();
export const clickhouseShape = z.object({
  ...{ id: z.string(), name: z.string(), url: z.string(), username: z.string(), database: z.string() },
  ...{ cluster: z.string(), mode, server_version: z.string(), version: z.int(), problem: z.string() },
  ...{ probed_at: date, created_at: date, updated_at: date },
});

export const clickhouseProbeShape = z.object({
  ...{ ok: z.boolean(), server_version: z.string() },
  missing: z.array(z.string()).describe("Rights that the user lacks."),
  grants: z.array(z.string()).describe("The statements that grant what is needed, to run on the server."),
  problem: z.string(),
});

export const clickhouseStatusShape = z.object({
  connection: z.string(),
  state: z
    .enum(["off", "starting", "failing", "running"])
    .describe("off: nothing is written there; starting: nobody has said anything yet; failing: see problem."),
  lag: z.int().describe("Records of all organizations that are still to be looked through."),
  ...{ records: z.int(), events: z.int(), bytes: z.int() },
  last_stored_at: date.nullable(),
  problem: z
    .object({ code: z.string(), detail: z.string(), since: date })
    .nullable()
    .describe("What keeps it from going on; it is tried again, and what is to be written waits in Kafka."),
});
