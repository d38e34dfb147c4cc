/**
 * An Astralog of one test's own on servers it shares with others: its own topics, groups and schemas (by prefix), its own
 * Postgres database, its own tenant and keys. Its services are real processes.
 */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import {
  type Addresses,
  bootstrapTenant,
  choosePorts,
  type Deployment,
  type Exit,
  type FirstTenant,
  type ListenPorts,
  makeDatabase,
  provision,
  type ServiceName,
  type ServiceProcess,
  serviceEnv,
  startService,
} from "@astralog/local";
import { newFolder } from "./own-stack.ts";

export interface RunningService {
  readonly name: ServiceName;
  readonly pid: number;
  /** Serves /livez, /readyz and /metrics. */
  readonly ops: string;
  /** Plain HTTP of the receiver or the api; "" of the others. */
  readonly url: string;
  /** HTTPS of the receiver, signed by `stack.tls.ca`; "" of the others. */
  readonly httpsUrl: string;
  readonly exited: Promise<Exit>;
  /** Sends the signal, SIGKILL unless told, and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
  /** Sends a signal that does not end it, such as SIGSTOP. */
  signal(name: NodeJS.Signals): void;
  /** What it has logged, at most the last 64 KiB. */
  output(): string;
}

export interface Platform extends FirstTenant {
  readonly deployment: Deployment;
  readonly stack: Addresses;
  readonly prefix: string;
  /** The environment a service would get, for tests that run a part of it in their own process. */
  env(name: ServiceName): Record<string, string>;
  /** Starts a service and waits until it is ready. A second one of a kind gets ports of its own. */
  start(name: ServiceName, env?: Readonly<Record<string, string>>): Promise<RunningService>;
  /** Stops the services, all at once as a cluster may. */
  stop(): Promise<void>;
}

const schemes = {
  receiver: true,
  api: true,
  redactor: false,
  sink: false,
  archive: false,
  alerter: false,
  retention: false,
  backup: false,
};

export const platform = async (stack: Addresses): Promise<Platform> => {
  const id = randomBytes(4).toString("hex");
  const folder = newFolder("platform");
  const prefix = `t${id}.`;
  const deployment: Deployment = {
    addresses: stack,
    topicPrefix: prefix,
    postgresUrl: await makeDatabase(stack.postgres.url, `t${id}`),
    // Roles belong to the whole server, which others use.
    postgresLogin: { username: `t${id}_api`, password: randomBytes(16).toString("hex") },
    deadLetterKey: randomBytes(32).toString("base64"),
    auditSigningKey: randomBytes(32).toString("base64"),
    secretsKey: randomBytes(32).toString("base64"),
    alertsKey: randomBytes(32).toString("base64"),
    storageKey: randomBytes(32).toString("base64"),
    backupKey: randomBytes(32).toString("base64"),
    takeoutFolder: join(folder, "takeouts"),
    mailUrl: "",
  };
  await provision(deployment);
  const firstPorts = await choosePorts({ https: 0, http: 0, api: 0 });
  const first = await bootstrapTenant(deployment, `tenant-${id}`, "app", firstPorts.api);

  const running = new Set<ServiceProcess>();
  let count = 0;
  const portsFor = async (name: ServiceName): Promise<ListenPorts> =>
    [...running].some((one) => one.name === name) ? choosePorts({ https: 0, http: 0, api: 0 }) : firstPorts;

  const start: Platform["start"] = async (name, env = {}) => {
    const ports = await portsFor(name);
    const place = join(folder, `${name}-${++count}`);
    const service = await startService({
      name,
      env: { ...serviceEnv(name, deployment, ports), ...env },
      log: `${place}.log`,
      portFile: `${place}.ops-port`,
    });
    running.add(service);
    void service.exited.then(() => running.delete(service));
    const port = name === "receiver" ? ports.http : ports.api;
    return {
      name,
      pid: service.pid,
      ops: service.ops,
      url: schemes[name] ? `http://127.0.0.1:${port}` : "",
      httpsUrl: name === "receiver" ? `https://localhost:${ports.https}` : "",
      exited: service.exited,
      kill: (signal = "SIGKILL") => {
        service.signal(signal);
        return service.exited;
      },
      signal: service.signal,
      output: service.output,
    };
  };

  return {
    ...first,
    deployment,
    stack,
    prefix,
    env: (name) => serviceEnv(name, deployment, firstPorts),
    start,
    stop: async () => {
      await Promise.all([...running].map((service) => service.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
