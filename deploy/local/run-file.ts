/** .astralog/run.json: what a script needs to know of the Astralog that runs in this checkout. It holds keys: mode 0600. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { state } from "./paths.ts";
import { writePrivate } from "./secrets.ts";
import type { FirstTenant } from "./service.ts";
import type { TrialBucket } from "./trial-bucket.ts";

export interface RunFile extends FirstTenant {
  /** HTTPS, signed by the authority whose certificate is in the file `ca`. */
  readonly receiver: string;
  /** Plain HTTP, loopback only. */
  readonly receiverHttp: string;
  readonly api: string;
  readonly dashboard: string;
  /** Where the mail that Astralog sent is read, and the SMTP server that takes it. */
  readonly mail: string;
  readonly smtp: string;
  readonly ca: string;
  readonly kafka: {
    readonly brokers: string;
    readonly tlsBrokers: string;
    readonly username: string;
    readonly password: string;
  };
  /** The registry's Confluent interface. */
  readonly registry: string;
  /** A user that may read the ledger of all tenants, and the administrator. */
  readonly clickhouse: {
    readonly url: string;
    readonly username: string;
    readonly password: string;
    readonly database: string;
    readonly adminUsername: string;
    readonly adminPassword: string;
  };
  readonly postgres: string;
  /** With --bucket: a server of buckets and what opens it. */
  readonly bucket?: TrialBucket;
  /** Where each service serves /livez, /readyz and /metrics. */
  readonly ops: Readonly<Record<string, string>>;
  /** Of each service, each server, and `astralog`, which started them. */
  readonly pids: Readonly<Record<string, number>>;
}

const path = join(state, "run.json");

export const writeRunFile = (run: RunFile): void => writePrivate(path, `${JSON.stringify(run, undefined, 2)}\n`);

export const readRunFile = (): RunFile | undefined =>
  existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as RunFile) : undefined;

export const removeRunFile = (): void => rmSync(path, { force: true });
