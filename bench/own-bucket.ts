/** A server of buckets on loopback, an organization's connection to it, and what anybody with its keys finds there. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { archiveColumns } from "@astralog/schemas/storage";
import type { ClickHouse } from "./clickhouse.ts";

const bucket = "bench";
/** What api and archive must be allowed, for the server is on this machine. */
export const loopback = { OUTGOING_ALLOWED: "127.0.0.0/8" };

export interface OwnBucket {
  /** It is gone for whoever asks; what it holds stays. */
  down(): Promise<void>;
  /** Again, at the same address and with the same keys. */
  up(): Promise<void>;
  /** The archive of an organization there. Returns the connection's id. */
  connect(api: string, adminKey: string): Promise<string>;
  /** Rows in the archive, and how many different events they are. */
  rows(clickhouse: ClickHouse, connection: string): Promise<{ rows: number; different: number }>;
  stop(): Promise<void>;
}

export const startOwnBucket = async (): Promise<OwnBucket> => {
  const dir = mkdtempSync(join(state, "bench-bucket-"));
  const { port } = await choosePorts({ port: 0 });
  let secretAccessKey: string | undefined;
  const begin = async (): Promise<BucketServer> => {
    const options = { dir, log: join(dir, "log"), port, buckets: [bucket] };
    const begun = await startBucketServer(secretAccessKey === undefined ? options : { ...options, secretAccessKey });
    secretAccessKey = begun.secretAccessKey;
    return begun;
  };
  let server: BucketServer | undefined = await begin();
  const { url, accessKeyId } = server;
  return {
    down: async () => {
      await server?.stop();
      server = undefined;
    },
    up: async () => {
      server = await begin();
    },
    connect: async (api, adminKey) => {
      for (let tries = 1; ; tries++) {
        const answer = await fetch(`${api}/api/v1/storage/connections`, {
          method: "POST",
          headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
          body: JSON.stringify({
            ...{ name: "bench", kind: "compatible", endpoint: url, bucket, archive: true },
            ...{ access_key_id: accessKeyId, secret_access_key: secretAccessKey },
          }),
        });
        const made = (await answer.json()) as { id?: string; detail?: string };
        if (made.id !== undefined) return made.id;
        // A key that was made a moment ago is known in a moment.
        if (answer.status !== 401 || tries === 100) throw new Error(`the bucket was not connected: ${made.detail}`);
        await sleep(100);
      }
    },
    rows: async (clickhouse, connection) => {
      const from = `s3('${url}/${bucket}/${connection}/events/*/*/*.parquet', '${accessKeyId}', '${secretAccessKey}', 'Parquet', '${archiveColumns.replaceAll("'", "\\'")}')`;
      const [found] = await clickhouse.rows<{ n: string; different: string }>(
        `SELECT toString(count()) AS n, toString(uniqExact(topic, partition, offset, idx)) AS different FROM ${from}
         SETTINGS use_hive_partitioning = 0, s3_throw_on_zero_files_match = 0`,
      );
      return { rows: Number(found?.n ?? 0), different: Number(found?.different ?? 0) };
    },
    stop: async () => {
      await server?.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
