/**
 * Where Astralog is and with which keys: from the environment, else from the nearest .astralog/run.json upward.
 *
 * An address from the environment is never used with a key from run.json: a local key must not travel to another host.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Config, field, loadConfig, type Shape } from "@astralog/chassis/config";
import { keyKind } from "@astralog/schemas/keys";
import { Failure } from "./failure.ts";

export const cliShape = {
  ASTRALOG_API: field.text("URL of the API.", ""),
  ASTRALOG_RECEIVER: field.text("URL of the receiver.", ""),
  ASTRALOG_INGEST_KEY: field.secret("Key that may send.", ""),
  ASTRALOG_QUERY_KEY: field.secret("Key that may search.", ""),
  ASTRALOG_ADMIN_KEY: field.secret("Key that may manage sources and keys, and verify.", ""),
  ASTRALOG_CA: field.text("PEM file of the authority that signed the servers' certificates.", ""),
  ASTRALOG_CLIENT_KEYS: field.secret(
    "Keys of buckets with client-side encryption, in base64 with commas between; storage decrypt reads them.",
    "",
  ),
  NO_COLOR: field.text("Anything here prints without colours.", ""),
  FORCE_COLOR: field.text("Anything here prints with colours, to a pipe too.", ""),
} satisfies Shape;

export type CliConfig = Config<typeof cliShape>;
export type KeyUse = "ingest" | "query" | "admin";
export type Server = "api" | "receiver";

export interface Place {
  url(server: Server): URL;
  key(use: KeyUse): string;
  /** PEM text of the authority, or undefined for the system's. */
  readonly ca: string | undefined;
}

type RunFile = Partial<Record<"api" | "receiver" | "ca" | "ingestKey" | "queryKey" | "adminKey", unknown>>;

/** Reads the environment; nothing else in the command does. */
export const readConfig = (env?: NodeJS.ProcessEnv): CliConfig => loadConfig(cliShape, env);

/** The nearest .astralog/run.json from `from` upward, or undefined. */
export const findRunFile = (from: string): RunFile | undefined => {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, ".astralog", "run.json");
    try {
      return JSON.parse(readFileSync(path, "utf8")) as RunFile;
    } catch (error) {
      if (error instanceof SyntaxError) throw new Failure(`${path} is not JSON.`, "Start Astralog again: npm start");
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EACCES")
        throw new Failure(`${path} may not be read by this user.`, "Run as the user who started Astralog.");
    }
    if (folder === dirname(folder)) return undefined;
  }
};

export const locate = (config: CliConfig, from: string): Place => {
  let found: RunFile | undefined | null = null;
  const run = (): RunFile | undefined => (found === null ? (found = findRunFile(from)) : found);
  const elsewhere = config.ASTRALOG_API !== "" || config.ASTRALOG_RECEIVER !== "";
  const text = (name: keyof RunFile): string => {
    const value = elsewhere ? undefined : run()?.[name];
    return typeof value === "string" ? value : "";
  };
  const caFile = config.ASTRALOG_CA || text("ca");
  return {
    url: (server) => {
      const name = server === "api" ? "ASTRALOG_API" : "ASTRALOG_RECEIVER";
      const value = config[name] || text(server);
      if (value === "") {
        throw new Failure(
          `No ${server} is known: there is no .astralog/run.json in this folder or above, and ${name} is not set.`,
          `Start one with npm start, or set ${name}=https://…`,
        );
      }
      if (!/^https?:\/\//.test(value) || !URL.canParse(value)) {
        throw new Failure(`${name} is "${value}", which is no http or https URL.`);
      }
      return new URL(value);
    },
    key: (use) => {
      const name = `ASTRALOG_${use.toUpperCase() as "INGEST" | "QUERY" | "ADMIN"}_KEY` as const;
      const value = config[name] || text(`${use}Key`);
      if (value === "") throw new Failure(`This needs ${article(use)} key and none is known.`, `Set ${name}.`);
      // The key carries a checksum, so a slip is seen here and nothing travels.
      const kind = keyKind(value);
      if (kind === undefined) throw new Failure(`${name} is no Astralog key: mistyped, or cut short.`);
      if (kind !== use) throw new Failure(`${name} is ${article(kind)} key; this needs ${article(use)} key.`);
      return value;
    },
    ca: caFile === "" ? undefined : readCa(caFile),
  };
};

const article = (use: KeyUse): string => `${use === "query" ? "a" : "an"} ${use}`;

const readCa = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw new Failure(`The authority's certificate ${path} cannot be read.`, "Set ASTRALOG_CA to a PEM file.");
  }
};
