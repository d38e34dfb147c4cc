/** For the tests: says connections to the archive as the api would, and reads what it has put into a bucket. */
import { hash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createKafka,
  createLog,
  createMetrics,
  createProducer,
  createRegistry,
  createSealer,
  kafkaShape,
  loadConfig,
} from "@astralog/chassis";
import type { BucketServer } from "@astralog/local";
import { encodeRecord, topics } from "@astralog/schemas";
import {
  type ArchiveChange,
  type ArchiveManifest,
  archiveColumns,
  type StorageConnection,
  storageBound,
} from "@astralog/schemas/storage";
import type { Platform, Sql } from "@astralog/testbed";

export const bucketName = "events-archive";

export const connectionTo = (
  { url, accessKeyId, secretAccessKey }: Pick<BucketServer, "url" | "accessKeyId" | "secretAccessKey">,
  astralog: Pick<Platform, "deployment">,
  id: string,
  { tenant = "tn_test", clientKeys = [] }: { tenant?: string; clientKeys?: readonly string[] } = {},
): StorageConnection => {
  const bound = { id, tenant, client_encryption: clientKeys.length > 0 };
  return {
    ...{ ...bound, name: id, archive: true, version: 1, kind: "compatible", endpoint: url, region: "us-east-1" },
    ...{ bucket: bucketName, prefix: "logs/astralog/", encryption: "bucket", kms_key: "" },
    sealed: createSealer([Buffer.from(astralog.deployment.storageKey, "base64")]).seal(
      storageBound(bound),
      JSON.stringify({ access_key_id: accessKeyId, secret_access_key: secretAccessKey, client_keys: clientKeys }),
    ),
  };
};

export const createTeller = async (env: Record<string, string>) => {
  const kafka = createKafka(loadConfig(kafkaShape, env), createLog("teller", "error"), "teller");
  const producer = await createProducer(
    kafka,
    { log: createLog("teller", "error"), metrics: createMetrics("teller") },
    { lingerMs: 0 },
  );
  const topic = kafka.name(topics.storage.name);
  const schemaId = await createRegistry(loadConfig(kafkaShape, env)).idOf("StorageConnection", topic);
  return {
    say: async (one: StorageConnection): Promise<void> => {
      const record = { tenant: one.tenant, connection: one.id, definition: JSON.stringify(one) };
      const value = encodeRecord("StorageConnection", schemaId, record);
      await producer.send({ topic, partition: 0, key: Buffer.from(`${one.tenant}/${one.id}`), value });
    },
    close: producer.close,
  };
};

const columns = `topic, partition, offset, idx, tenant, source, timestamp, received_at, level, service, host, message, trace_id,
  span_id, attribute_types, attributes`;

/** Counts and a hash over every column of every row, whatever their order. */
export const summary = (from: string) =>
  `SELECT toUInt32(count()) AS rows, toUInt32(uniqExact(topic, partition, offset, idx)) AS different,
    toString(sum(cityHash64(${columns}))) AS hash ${from}`;

export interface Rows {
  readonly rows: number;
  readonly different: number;
  readonly hash: string;
}

export const rowsInTable = async (sql: Sql, raw: string): Promise<Rows> =>
  (await sql<Rows>(summary(`FROM events WHERE topic = '${raw}'`)))[0] ?? { rows: 0, different: 0, hash: "" };

/** Of one connection, as anybody with the keys reads it. */
export const rowsInBucket = async (
  sql: Sql,
  server: BucketServer,
  { prefix, id }: StorageConnection,
): Promise<Rows> => {
  const place = `${server.url}/${bucketName}/${prefix}${id}/events/*/*/*.parquet`;
  const from = `FROM s3('${place}', '${server.accessKeyId}', '${server.secretAccessKey}', 'Parquet', '${archiveColumns.replaceAll("'", "\\'")}') SETTINGS use_hive_partitioning = 0, s3_throw_on_zero_files_match = 0`;
  return (await sql<Rows>(summary(from)))[0] ?? { rows: 0, different: 0, hash: "" };
};

/** What is wrong between the manifests and the objects; and how many events the manifests count. */
export const checkManifests = (server: BucketServer, { prefix, id }: StorageConnection) => {
  const folder = join(server.data, bucketName, prefix, id);
  const files = (at: string) =>
    !existsSync(join(folder, at))
      ? []
      : readdirSync(join(folder, at), { recursive: true, withFileTypes: true }).flatMap((one) =>
          one.isFile() ? [join(one.parentPath, one.name).slice(folder.length + 1)] : [],
        );
  const problems: string[] = [];
  const named = new Set<string>();
  const changes = files("changes")
    .filter((name) => name.endsWith("-done.json"))
    .map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as ArchiveChange);
  const gone = new Set(changes.flatMap(({ removed }) => removed));
  const read = ({ name, bytes, sha256 }: { name: string; bytes: number; sha256: string }): void => {
    if (gone.has(name)) return;
    named.add(name);
    const body = readFileSync(join(folder, name));
    if (body.length !== bytes || hash("sha256", body) !== sha256) problems.push(`${name}: other bytes`);
  };
  for (const { put } of changes) for (const object of put) read(object);
  let events = 0;
  const manifests = files("manifests").map(
    (name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as ArchiveManifest,
  );
  for (const [partition, of] of Map.groupBy(manifests, (one) => one.partition)) {
    const inOrder = of.toSorted((a, b) => a.first - b.first);
    for (const [i, one] of inOrder.entries()) {
      const before = inOrder[i - 1];
      if (before !== undefined && one.first !== before.last + 1) problems.push(`${partition}: a gap at ${one.first}`);
      for (const object of one.objects) {
        events += object.events;
        read(object);
      }
    }
    if (
      inOrder.at(-1)?.total.events !==
      inOrder.flatMap(({ objects }) => objects).reduce((sum, one) => sum + one.events, 0)
    )
      problems.push(`${partition}: the total is not the sum`);
  }
  for (const name of files("events")) if (!named.has(name)) problems.push(`${name}: in no manifest and no change`);
  return { problems, events, objects: named.size };
};
