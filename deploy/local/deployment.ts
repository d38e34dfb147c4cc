/** From four running servers to an Astralog with its first tenant. All of it is kept, so a later start only finds it. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDatabase } from "./database.ts";
import { openSecrets, writePrivate } from "./secrets.ts";
import { bootstrapTenant, type FirstTenant, provision } from "./service.ts";
import type { Deployment } from "./services.ts";
import type { Addresses } from "./stack.ts";

export const prepare = async (
  addresses: Addresses,
  dir: string,
): Promise<{ deployment: Deployment; tenant: FirstTenant }> => {
  const secrets = openSecrets(join(dir, "deployment.json"));
  const deployment: Deployment = {
    addresses,
    topicPrefix: "",
    postgresUrl: await makeDatabase(addresses.postgres.url, "astralog"),
    deadLetterKey: secrets.of("deadLetterKey", () => randomBytes(32).toString("base64")),
  };
  await provision(deployment);
  const keys = join(dir, "keys.json");
  if (!existsSync(keys)) writePrivate(keys, JSON.stringify(await bootstrapTenant(deployment, "main", "default")));
  return { deployment, tenant: JSON.parse(readFileSync(keys, "utf8")) as FirstTenant };
};
