/** A whole Astralog of the bench's own: four servers and the services, in a folder that is removed at the end. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  bootstrapTenant,
  type FirstTenant,
  type ServiceName,
  type Stack,
  serverNames,
  serviceNames,
} from "@astralog/local";
import { ownStack, type Platform, platform, type RunningService } from "@astralog/testbed";
import type { Target } from "./load.ts";

/** What a pipeline runs: all but the archive, which needs a bucket and has a test of its own. */
export const pipelineServices = serviceNames.filter((name) => name !== "archive");

export interface Pipeline {
  readonly stack: Stack;
  readonly platform: Platform;
  start(name: ServiceName): Promise<RunningService>;
  /** Starts all of them and waits until the receiver knows the key. */
  startAll(): Promise<void>;
  /** The running service of that name. */
  service(name: ServiceName): RunningService;
  /** HTTPS of the receiver with the first source's key. */
  target(): Target;
  /** The same servers and services, and an organization of its own that has nothing stored. */
  anew(slug: string): Promise<Pipeline>;
  /** By process, servers and services that run now. */
  pids(): Record<string, number>;
  stop(): Promise<void>;
}

export interface PipelineOptions {
  /** Servers to stand on; without any, its own, which end with it. */
  readonly stack?: Stack;
  /** Extra environment by service. */
  readonly env?: Partial<Record<ServiceName, Record<string, string>>>;
}

export const startPipeline = async ({ stack: given, env = {} }: PipelineOptions = {}): Promise<Pipeline> => {
  const stack = given ?? (await ownStack());
  const stopStack = async (): Promise<void> => {
    if (given === undefined) await stack.stop();
  };
  let own: Platform;
  try {
    own = await platform(stack);
  } catch (error) {
    await stopStack();
    throw error;
  }
  const services = new Map<ServiceName, RunningService>();
  /** The last words of those that ended. */
  const ended = new Map<ServiceName, string>();
  const service = (name: ServiceName): RunningService => {
    const found = services.get(name);
    if (found !== undefined) return found;
    const said = ended.get(name);
    throw new Error(
      said === undefined ? `the ${name} was not started` : `the ${name} has ended. The end of its output:\n${said}`,
    );
  };
  const start = async (name: ServiceName): Promise<RunningService> => {
    const started = await own.start(name, { LOG_LEVEL: "warn", ...env[name] });
    services.set(name, started);
    void started.exited.then(() => {
      if (services.get(name) !== started) return;
      services.delete(name);
      ended.set(name, started.output().slice(-4_000));
    });
    return started;
  };
  /** A key reaches the receiver through the outbox, moments after it was made. */
  const keyIsKnown = async (ingestKey: string): Promise<void> => {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const answer = await fetch(`${service("receiver").url}/v1/events?dry_run=1`, {
        method: "POST",
        headers: { authorization: `Bearer ${ingestKey}`, "content-type": "application/json" },
        body: '{"message":"is the key known?"}',
      });
      if (answer.ok) return;
      if (Date.now() > deadline) throw new Error(`the receiver answers ${answer.status}: ${await answer.text()}`);
      await sleep(50);
    }
  };
  const pipelineOf = (tenant: FirstTenant): Pipeline => ({
    stack,
    platform: { ...own, ...tenant },
    service,
    start,
    startAll: async () => {
      await Promise.all(pipelineServices.map(start));
      await keyIsKnown(tenant.ingestKey);
    },
    target: () => ({
      url: new URL("/v1/events", service("receiver").httpsUrl),
      ca: readFileSync(stack.tls.ca, "utf8"),
      key: tenant.ingestKey,
    }),
    anew: async (slug) => {
      const another = await bootstrapTenant(own.deployment, slug, "app");
      await keyIsKnown(another.ingestKey);
      return pipelineOf(another);
    },
    pids: () => ({
      ...Object.fromEntries([...services].map(([name, { pid }]) => [name, pid])),
      ...Object.fromEntries(serverNames.map((name) => [name, stack.servers[name].pid() ?? 0])),
      "load generator": process.pid,
    }),
    stop: async () => {
      await own.stop();
      await stopStack();
    },
  });
  return pipelineOf(own);
};
