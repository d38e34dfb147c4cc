/** One Astralog service as a process, and the two commands that prepare a deployment. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Child, startChild, untilReady } from "./child.ts";
import { compileCache, root } from "./paths.ts";
import { type Deployment, provisionEnv, type ServiceName, serviceEnv } from "./services.ts";

export interface ServiceProcess extends Child {
  /** Serves /livez, /readyz and /metrics. */
  readonly ops: string;
}

// kafkajs sets timers in the past now and then; Node then warns, each time.
const nodeFlags = ["--disable-warning=TimeoutNegativeWarning"];

/**
 * What passes through these is buffers, and each few dozen megabytes of them make V8 mark the whole heap again, on helper
 * threads beside the running code: a quarter of the receiver's CPU. Their heaps are small; marked at once, that is a pause
 * of some 25 ms, a few times a second under full load. A heap of many thousands of keys pauses longer. The image's entrypoint.sh has the same.
 */
const collectAtOnce = ["--no-concurrent-marking", "--no-incremental-marking"];
const movesBuffers: ReadonlySet<ServiceName> = new Set(["receiver", "redactor"]);

/**
 * Starts services/<name>/main.ts and waits until it says it is ready. Its environment is `env` and nothing of ours, so a
 * variable of the user's shell cannot change a deployment.
 */
export const startService = async (options: {
  name: ServiceName;
  env: Readonly<Record<string, string>>;
  log: string;
  /** Where it tells its ops port. */
  portFile: string;
  readyMs?: number;
}): Promise<ServiceProcess> => {
  const { name, env, log, portFile, readyMs = 60_000 } = options;
  rmSync(portFile, { force: true });
  const child = await startChild({
    name,
    command: process.execPath,
    args: [...nodeFlags, ...(movesBuffers.has(name) ? collectAtOnce : []), join(root, "services", name, "main.ts")],
    cwd: root,
    env: { NODE_COMPILE_CACHE: compileCache, OPS_PORT_FILE: portFile, ...env },
    log,
  });
  const opsUrl = (): string | undefined => {
    const port = existsSync(portFile) ? readFileSync(portFile, "utf8").trim() : "";
    return port === "" ? undefined : `http://127.0.0.1:${port}`;
  };
  await untilReady(
    child,
    async () => {
      const url = opsUrl();
      if (url === undefined) return false;
      return fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
        (response) => response.ok,
        () => false,
      );
    },
    readyMs,
  );
  return { ...child, ops: opsUrl() ?? "" };
};

/** Runs a script of a service to its end and gives what it printed; an exit other than 0 is an error with its words. */
export const runScript = async (
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<string> => {
  const child = spawn(process.execPath, [...nodeFlags, join(root, "services", script), ...args], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  const [status, out, err] = await Promise.all([code, text(child.stdout), text(child.stderr)]);
  if (status !== 0) throw new Error(`services/${script} failed (${String(status)}):\n${out}${err}`);
  return out;
};

/** Migrations, topics, ACLs, schemas. Doing it again changes nothing. */
export const provision = async (deployment: Deployment): Promise<void> => {
  await runScript("api/provision.ts", [], provisionEnv(deployment));
};

export interface FirstTenant {
  readonly tenant: string;
  readonly source: string;
  readonly ingestKey: string;
  readonly queryKey: string;
  readonly adminKey: string;
  /** Makes the first owner, once; "" when there is one. */
  readonly firstOwnerLink: string;
}

const bootstrap = async <T>(deployment: Deployment, args: readonly string[], api: number): Promise<T> => {
  const env = { LOG_LEVEL: "error", ...serviceEnv("api", deployment, { https: 0, http: 0, api }) };
  const said = await runScript("api/bootstrap.ts", args, env);
  return JSON.parse(said.trim().split("\n").at(-1) ?? "") as T;
};

/** Makes a tenant with one source and one key of each kind; each call makes another. `api`: the port that links lead to. */
export const bootstrapTenant = (
  deployment: Deployment,
  tenant: string,
  source: string,
  api = 0,
): Promise<FirstTenant> => bootstrap(deployment, ["--tenant", tenant, "--source", source], api);

/** A new link for the first owner of a tenant that is there; "" when it has one. */
export const firstOwnerLink = async (deployment: Deployment, tenant: string, api: number): Promise<string> =>
  (await bootstrap<Pick<FirstTenant, "firstOwnerLink">>(deployment, ["--tenant", tenant, "--link-only"], api))
    .firstOwnerLink;
