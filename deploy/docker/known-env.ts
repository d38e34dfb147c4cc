/** What environment a process knows, for tests that hold manifests against the code. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { serviceNames } from "@astralog/local";

const root = new URL("../../", import.meta.url);
const path = (file: string): string => fileURLToPath(new URL(file, root));

const services: readonly string[] = serviceNames;
// One-shot commands have no --help; their shape is in their source.
const sources: Readonly<Record<string, readonly string[]>> = {
  provision: ["services/api/provision.ts", "deploy/docker/clickhouse-users.ts", "services/chassis/config.ts"],
  bootstrap: ["services/api/bootstrap.ts"],
  restore: ["services/backup/config.ts", "services/chassis/config.ts"],
  prepare: ["deploy/docker/prepare.ts"],
};

export const knownEnv = (process_: string): ReadonlySet<string> => {
  const text = services.includes(process_)
    ? spawnSync(process.execPath, [path(`services/${process_}/main.ts`), "--help"], { encoding: "utf8", env: {} })
        .stdout
    : (sources[process_] ?? []).map((file) => readFileSync(path(file), "utf8")).join("\n");
  return new Set([...text.matchAll(/(?:^|\{)\s*([A-Z][A-Z0-9_]+)(?=[:\t])/gm)].map(([, name = ""]) => name));
};

/** What a service says of an environment: empty when it would start with it, else its complaints. */
export const complaints = (service: string, env: Readonly<Record<string, string>>): string => {
  if (!services.includes(service)) return "";
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path(`services/${service}/main.ts`), "--check-config"],
    {
      encoding: "utf8",
      env: { ...env },
    },
  );
  return status === 0 ? "" : `${stdout}${stderr}`;
};
