/** The services of this checkout, each a process on its own ports, started and stopped together. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Exit } from "./child.ts";
import { choosePorts } from "./ports.ts";
import { writePrivate } from "./secrets.ts";
import { type ServiceProcess, startService } from "./service.ts";
import { type Deployment, type ListenPorts, type ServiceName, serviceEnv, serviceNames } from "./services.ts";

export interface LocalService {
  readonly name: ServiceName;
  pid(): number;
  ops(): string;
  exited(): Promise<Exit>;
  start(): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

export interface LocalServices {
  readonly all: readonly LocalService[];
  /** The ports as they are now: one that was taken has been chosen anew. */
  ports(): ListenPorts;
  /** In reverse: intake first, then what drains it. */
  stop(): Promise<void>;
}

// 4318 is where an OTLP exporter looks when it is told nothing.
const wishes: ListenPorts = { https: 8443, http: 4318, api: 4300 };

export const createLocalServices = async (options: {
  deployment: Deployment;
  dir: string;
  logs: string;
  logLevel: string;
  httpsHost: string;
  /** More for each of them. */
  env?: Readonly<Record<string, string>>;
}): Promise<LocalServices> => {
  const { deployment, dir, logs, logLevel, httpsHost, env = {} } = options;
  const file = join(dir, "service-ports.json");
  let ports: ListenPorts = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as ListenPorts) : wishes;
  const keep = (chosen: ListenPorts): void => {
    ports = chosen;
    writePrivate(file, `${JSON.stringify(chosen)}\n`);
  };
  keep(await choosePorts({ ...ports }));
  const portsOf = (name: ServiceName): Record<string, number> => {
    if (name === "receiver") return { https: ports.https, http: ports.http };
    return name === "api" ? { api: ports.api } : {};
  };

  const service = (name: ServiceName): LocalService => {
    let process: ServiceProcess | undefined;
    const launch = async (): Promise<void> => {
      process = await startService({
        name,
        env: { LOG_LEVEL: logLevel, ...serviceEnv(name, deployment, ports, httpsHost), ...env },
        log: join(logs, `${name}.log`),
        portFile: join(dir, `${name}.ops-port`),
      });
    };
    return {
      name,
      pid: () => process?.pid ?? 0,
      ops: () => process?.ops ?? "",
      exited: () => process?.exited ?? Promise.resolve({ code: null, signal: null }),
      start: async () => {
        try {
          await launch();
        } catch (error) {
          // Another program may have taken one of its ports since they were chosen; if none has, the error stands.
          const before = portsOf(name);
          const now = await choosePorts(before);
          if (Object.entries(now).every(([port, number]) => before[port] === number)) throw error;
          keep({ ...ports, ...now });
          await launch();
        }
      },
      stop: async (graceMs) => void (await process?.stop(graceMs)),
    };
  };

  const all = serviceNames.filter((name) => name !== "backup" || deployment.backups !== undefined).map(service);
  return {
    all,
    ports: () => ports,
    stop: async () => {
      const [receiver, ...rest] = all;
      await receiver?.stop(5_000);
      await Promise.all(rest.map((one) => one.stop(4_000)));
    },
  };
};
