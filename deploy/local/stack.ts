/**
 * The four servers Astralog stands on, started together on one folder and one set of ports. Killing one and starting it
 * again gives the same server: same address, same data.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { principals } from "@astralog/schemas";
import { clickhouseUsers } from "@astralog/schemas/clickhouse";
import type { Child, Exit } from "./child.ts";
import { startClickHouse } from "./clickhouse.ts";
import { startKafka } from "./kafka.ts";
import { choosePorts } from "./ports.ts";
import { startPostgres } from "./postgres.ts";
import { startRegistry } from "./registry.ts";
import { openSecrets, writePrivate } from "./secrets.ts";
import { makeTls, type Tls } from "./tls.ts";

/** Plain data: everything a client of the stack needs, whoever runs it. */
export interface Addresses {
  readonly kafka: {
    readonly brokers: string;
    readonly tlsBrokers: string;
    readonly users: Readonly<Record<string, string>>;
  };
  readonly registry: { readonly url: string };
  readonly clickhouse: {
    readonly url: string;
    readonly database: string;
    readonly users: Readonly<Record<string, string>>;
  };
  /** As the superuser, on the database `postgres`. */
  readonly postgres: { readonly url: string };
  readonly tls: Tls;
}

export const serverNames = ["kafka", "registry", "clickhouse", "postgres"] as const;
export type ServerName = (typeof serverNames)[number];

/** One server that tests may hurt. */
export interface Server {
  readonly name: ServerName;
  /** Of the running process; undefined in a container. */
  pid(): number | undefined;
  /** Fulfilled when the process that runs now has ended. */
  exited(): Promise<Exit>;
  stop(graceMs?: number): Promise<unknown>;
  kill(): Promise<unknown>;
  signal(name: NodeJS.Signals): Promise<void> | void;
  /** Starts it again where it was; fulfilled when it answers. */
  start(): Promise<void>;
}

export interface Stack extends Addresses {
  readonly servers: Readonly<Record<ServerName, Server>>;
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly dir: string;
  /** Folder of the servers' logs. */
  readonly logs: string;
  readonly database?: string;
  /** Where Kafka's TLS listener listens, and the name it tells clients. */
  readonly listen?: { readonly host: string; readonly name: string };
  /** Ports to prefer at the first start. */
  readonly ports?: Partial<Record<PortName, number>>;
  readonly onReady?: (name: ServerName, milliseconds: number) => void;
}

const portNames = ["internal", "external", "controller", "registry", "clickhouse", "postgres"] as const;
type PortName = (typeof portNames)[number];

// Kafka takes half a second, ClickHouse two. All of them hold what they acknowledged also when they are cut off.
const stopGraceMs = 5_000;

/** The ports of the last start when they are still free, so that addresses stay the same over restarts. */
const keptPorts = async (dir: string, wishes: Partial<Record<PortName, number>>): Promise<Record<PortName, number>> => {
  const file = join(dir, "ports.json");
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<Record<PortName, number>>) : {};
  const ports = await choosePorts(
    Object.fromEntries(portNames.map((name) => [name, kept[name] ?? wishes[name] ?? 0])) as Record<PortName, number>,
  );
  writePrivate(file, `${JSON.stringify(ports, undefined, 2)}\n`);
  return ports;
};

const server = (name: ServerName, start: () => Promise<Child>): Server => {
  let child: Child | undefined;
  return {
    name,
    pid: () => child?.pid,
    exited: () => child?.exited ?? Promise.resolve({ code: null, signal: null }),
    stop: async (graceMs) => child?.stop(graceMs),
    kill: async () => child?.kill(),
    signal: (which) => child?.signal(which),
    start: async () => {
      child = await start();
    },
  };
};

export const startStack = async (options: StackOptions): Promise<Stack> => {
  const { dir, logs, database = "astralog", listen = { host: "127.0.0.1", name: "localhost" }, onReady } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const secrets = openSecrets(join(dir, "secrets.json"));
  const [ports, tls] = await Promise.all([keptPorts(dir, options.ports ?? {}), makeTls(join(dir, "tls"), listen.name)]);
  const passwords = (server: string, users: readonly string[]) =>
    Object.fromEntries(users.map((user) => [user, secrets.of(`${server}.${user}`)]));
  const users = {
    kafka: passwords("kafka", ["admin", "broker", ...principals]),
    clickhouse: passwords(
      "clickhouse",
      clickhouseUsers(database).map(({ name }) => name),
    ),
    postgres: secrets.of("postgres.astralog"),
  };
  const diskKey = secrets.of("clickhouse.disk", () => randomBytes(32).toString("hex"));
  const place = (name: ServerName) => ({ dir: join(dir, name), log: join(logs, `${name}.log`) });

  const servers: Record<ServerName, Server> = {
    kafka: server("kafka", () =>
      startKafka({
        ...place("kafka"),
        ports,
        users: users.kafka,
        externalHost: listen.host,
        externalName: listen.name,
        tls: { key: readFileSync(tls.keyFile, "utf8"), cert: readFileSync(tls.certFile, "utf8") },
      }),
    ),
    registry: server("registry", () => startRegistry({ ...place("registry"), port: ports.registry })),
    clickhouse: server("clickhouse", () =>
      startClickHouse({
        ...place("clickhouse"),
        port: ports.clickhouse,
        database,
        passwordOf: (user) => users.clickhouse[user] ?? "",
        diskKey,
      }),
    ),
    postgres: server("postgres", () =>
      startPostgres({ ...place("postgres"), port: ports.postgres, password: users.postgres }),
    ),
  };
  const stop = async (): Promise<void> => {
    await Promise.all(Object.values(servers).map((one) => one.stop(stopGraceMs)));
  };

  const begun = Date.now();
  const started = await Promise.allSettled(
    Object.values(servers).map(async (one) => {
      await one.start();
      onReady?.(one.name, Date.now() - begun);
    }),
  );
  const failed = started.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  return {
    kafka: {
      brokers: `127.0.0.1:${ports.internal}`,
      tlsBrokers: `${listen.name}:${ports.external}`,
      users: users.kafka,
    },
    registry: { url: `http://127.0.0.1:${ports.registry}/apis/ccompat/v7` },
    clickhouse: { url: `http://127.0.0.1:${ports.clickhouse}`, database, users: users.clickhouse },
    postgres: { url: `postgres://astralog:${users.postgres}@127.0.0.1:${ports.postgres}/postgres` },
    tls,
    servers,
    stop,
  };
};
