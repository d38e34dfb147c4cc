/** What is planted in ClickHouse, once more in a bucket as the archive lays it out, and a connection to search it by. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BucketServer, choosePorts, startBucketServer, state } from "@astralog/local";
import { archiveColumns, archiveNames } from "@astralog/schemas/storage";
import { type ClickHouse, numberIn } from "./clickhouse.ts";

const bucket = "bench";
/** As many as events.clean has, so as many objects has a day once they are compacted. */
const partitions = 12;
const columnNames = archiveColumns.replaceAll(/ (?:[A-Z]\w+)(?:\([^)]*\))?/g, "");

export interface FilledBucket {
  readonly place: string;
  readonly objects: number;
  readonly bytes: number;
  stop(): Promise<void>;
}

/** `api` allows loopback in OUTGOING_ALLOWED. */
export const fillBucket = async (
  clickhouse: ClickHouse,
  { tenant, source }: { tenant: string; source: string },
  api: string,
  adminKey: string,
): Promise<FilledBucket> => {
  const dir = mkdtempSync(join(state, "bench-bucket-"));
  const { port } = await choosePorts({ port: 0 });
  const server: BucketServer = await startBucketServer({ dir, log: join(dir, "log"), port, buckets: [bucket] });
  const { url, accessKeyId: access_key_id, secretAccessKey: secret_access_key } = server;
  const answer = await fetch(`${api}/api/v1/storage/connections`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      ...{ name: "bench", kind: "compatible", endpoint: url, bucket, access_key_id, secret_access_key },
    }),
  });
  const made = (await answer.json()) as { id?: string; detail?: string };
  if (made.id === undefined) throw new Error(`the bucket was not connected: ${made.detail ?? answer.status}`);
  const days = await clickhouse.rows<{ day: string }>(
    `SELECT DISTINCT toString(toDate(timestamp)) AS day FROM events WHERE tenant = '${tenant}'`,
  );
  let objects = 0;
  for (const { day } of days)
    for (let partition = 0; partition < partitions; partition++) {
      const name = archiveNames.events(day, source, partition, 0);
      await clickhouse.run(`INSERT INTO FUNCTION s3('${url}/${bucket}/${made.id}/${name}', '${access_key_id}',
        '${secret_access_key}', 'Parquet', '${archiveColumns.replaceAll("'", "\\'")}')
        SELECT ${columnNames} FROM events WHERE tenant = '${tenant}' AND toDate(timestamp) = '${day}'
        AND offset % ${partitions} = ${partition} ORDER BY timestamp, topic, partition, offset, idx
        SETTINGS output_format_parquet_row_group_size = 65536, output_format_parquet_compression_method = 'zstd'`);
      objects += 1;
    }
  const bytes = await numberIn(
    clickhouse,
    `SELECT sum(_size) FROM (SELECT DISTINCT _path, _size FROM s3('${url}/${bucket}/${made.id}/events/*/*/*.parquet',
     '${access_key_id}', '${secret_access_key}', 'One'))`,
  );
  return {
    ...{ place: made.id, objects, bytes },
    stop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
