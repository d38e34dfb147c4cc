/** From four running servers to an Astralog with its first tenant. All of it is kept, so a later start only finds it. */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeDatabase } from "./database.ts";
import { openSecrets, writePrivate } from "./secrets.ts";
import { bootstrapTenant, type FirstTenant, provision } from "./service.ts";
import type { BackupBucket, Deployment } from "./services.ts";
import type { Addresses } from "./stack.ts";

const key256 = (): string => randomBytes(32).toString("base64");

export const prepare = async (
  addresses: Addresses,
  dir: string,
  mailUrl: string,
  {
    backups,
    before = async () => undefined,
  }: { backups?: BackupBucket | undefined; before?: (deployment: Deployment) => Promise<void> } = {},
): Promise<{ deployment: Deployment; tenant: FirstTenant }> => {
  const secrets = openSecrets(join(dir, "deployment.json"));
  const deployment: Deployment = {
    addresses,
    topicPrefix: "",
    postgresUrl: await makeDatabase(addresses.postgres.url, "astralog"),
    postgresLogin: { username: "astralog_api", password: secrets.of("postgresApiPassword") },
    deadLetterKey: secrets.of("deadLetterKey", key256),
    auditSigningKey: secrets.of("auditSigningKey", key256),
    secretsKey: secrets.of("secretsKey", key256),
    alertsKey: secrets.of("alertsKey", key256),
    storageKey: secrets.of("storageKey", key256),
    backupKey: secrets.of("backupKey", key256),
    ...(backups === undefined ? {} : { backups }),
    takeoutFolder: join(dir, "takeouts"),
    mailUrl,
  };
  // Before anything is made that a restore would find there.
  await before(deployment);
  await provision(deployment);
  const keys = join(dir, "keys.json");
  if (!existsSync(keys)) writePrivate(keys, JSON.stringify(await bootstrapTenant(deployment, "main", "default")));
  return { deployment, tenant: JSON.parse(readFileSync(keys, "utf8")) as FirstTenant };
};

/**
 * Waits until the receiver knows a key: a new one reaches it from Postgres by the api's outbox and a control topic, some
 * tenths of a second after both are ready.
 */
export const untilKeyWorks = async (receiver: string, key: string): Promise<void> => {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await fetch(`${receiver}/v1/events`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: "[]",
    });
    await answer.arrayBuffer();
    // 401: not known yet; 503: its source is not.
    if (answer.status !== 401 && answer.status !== 503) return;
    if (Date.now() > deadline)
      throw new Error(`The receiver still answers ${answer.status} to the first key; see .astralog/logs.`);
    await sleep(100);
  }
};
