/** `npm start -- --bucket`: a bucket on this machine, connected to the first organization, with no account anywhere. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type BucketServer, startBucketServer } from "./bucket-server.ts";
import { choosePorts } from "./ports.ts";
import { openSecrets } from "./secrets.ts";
import type { FirstTenant } from "./service.ts";
import type { BackupBucket } from "./services.ts";

export interface TrialBucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Where its objects lie as files. */
  readonly data: string;
}

const bucket = "trial";
const backups = "backups";
/** Taken by others only when it is in use; a connection remembers it. */
const port = 4390;

/** It is not public: services must be let reach it. */
export const trialBlock = "127.0.0.0/8";

export const startTrialBucket = async (dir: string, logs: string): Promise<BucketServer> => {
  const folder = join(dir, "buckets");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return startBucketServer({
    ...{
      dir: folder,
      log: join(logs, "buckets.log"),
      port: (await choosePorts({ port })).port,
      buckets: [bucket, backups],
    },
    secretAccessKey: openSecrets(join(folder, "secrets.json")).of("trial"),
  });
};

export const trialBucketOf = ({ url, accessKeyId, secretAccessKey, data }: BucketServer): TrialBucket => ({
  ...{ endpoint: url, bucket, accessKeyId, secretAccessKey, data: join(data, bucket) },
});

/** Where `npm start -- --bucket` puts its backups. */
export const backupBucketOf = ({ url, accessKeyId, secretAccessKey }: BucketServer): BackupBucket => ({
  ...{ endpoint: url, bucket: backups, accessKeyId, secretAccessKey },
});

/** Connects it, unless one of that name is there already. Throws with what the api said. */
export const connectTrialBucket = async (
  api: string,
  { adminKey }: Pick<FirstTenant, "adminKey">,
  server: BucketServer,
): Promise<void> => {
  const answer = await fetch(`${api}/api/v1/storage/connections`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ name: bucket, kind: "compatible", endpoint: server.url, bucket },
      ...{ access_key_id: server.accessKeyId, secret_access_key: server.secretAccessKey },
    }),
  });
  const said = (await answer.json()) as { code?: string; detail?: string };
  if (!answer.ok && said.code !== "name_taken") throw new Error(`The trial bucket was not connected: ${said.detail}`);
};
