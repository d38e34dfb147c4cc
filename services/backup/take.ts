/** Makes one backup. Nothing but the manifest at its end makes one of what lies in the bucket. */
import { randomBytes } from "node:crypto";
import { type Config, createKafka, Fault, type Log } from "@astralog/chassis";
import { connectClickHouse } from "./clickhouse.ts";
import { dumpedTables, dumpTable } from "./clickhouse-dump.ts";
import type { takeShape, Vault } from "./config.ts";
import { namesOf, readPoint } from "./kafka.ts";
import { type Manifest, newId, type Part, sizeOf } from "./manifest.ts";
import { dumpPostgres, withLock } from "./postgres-dump.ts";
import { canOpen, createWriter, finish, listBackups, soundOf, tidy } from "./vault.ts";

export interface Taken {
  readonly manifest: Manifest;
  readonly kept: number;
  /** What was removed: backups past their time, and objects that no backup needs. */
  readonly removed: readonly string[];
  readonly seconds: number;
}

type Session = Parameters<Parameters<typeof withLock>[1]>[0];

/** What earlier backups have of each table, and under which keys. */
const reusable = async (
  vault: Vault,
): Promise<{ parts: Map<string, Map<string, Part>>; keys: Manifest["data_keys"] }> => {
  const parts = new Map<string, Map<string, Part>>();
  const newest = soundOf(await listBackups(vault))[0];
  if (newest === undefined || !(await canOpen(vault, newest))) return { parts, keys: {} };
  for (const table of newest.clickhouse.tables)
    parts.set(
      table.name,
      new Map(table.parts.filter(({ identity }) => identity !== "").map((part) => [part.identity, part])),
    );
  return { parts, keys: newest.data_keys };
};

const make = async (deps: {
  config: Config<typeof takeShape>;
  vault: Vault;
  log: Log;
  session: Session;
}): Promise<Manifest> => {
  const { config, vault, log, session } = deps;
  const began = new Date();
  const id = newId(began, randomBytes(4).toString("hex"));
  const clickhouse = connectClickHouse({
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USERNAME,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
  });
  const kafka = createKafka(config, log, "astralog-backup");
  const earlier = await reusable(vault);
  const writer = await createWriter(vault, id);
  const admin = kafka.admin();
  await admin.connect();
  const point = await readPoint(admin, clickhouse, namesOf(kafka, config.SINK_GROUP)).finally(() => admin.disconnect());
  const tables = [];
  for (const table of dumpedTables)
    tables.push(
      await dumpTable(table, {
        ...{ clickhouse, writer, log, sliceRows: config.BACKUP_SLICE_ROWS, partBytes: config.BACKUP_PART_KB * 1_024 },
        known: (name) => earlier.parts.get(name) ?? new Map(),
      }),
    );
  const [version] = await clickhouse.rows<{ version: number }>(
    `SELECT max(version) AS version FROM ${config.CLICKHOUSE_DATABASE}.schema_migrations`,
  );
  // Last, so that it knows whose all of these events are.
  const postgres = await dumpPostgres(session, writer);
  const used = new Set(
    tables.flatMap(({ parts }) =>
      parts.flatMap(({ slices }) => slices.flatMap(({ pieces }) => pieces.map(({ name }) => name.split("/")[1] ?? ""))),
    ),
  );
  const manifest: Manifest = {
    ...{ v: 1, id, began_at: began.toISOString(), ended_at: new Date().toISOString() },
    expires_at: new Date(began.getTime() + config.BACKUP_KEEP_DAYS * 86_400_000).toISOString(),
    data_keys: {
      ...Object.fromEntries(Object.entries(earlier.keys).filter(([key]) => used.has(key))),
      ...writer.dataKeys,
    },
    clickhouse: { version: version?.version ?? 0, tables },
    ...{ postgres, kafka: point },
  };
  await finish(vault, manifest);
  return manifest;
};

/** Undefined when another is making one at this moment. */
export const takeBackup = async (deps: {
  config: Config<typeof takeShape>;
  vault: Vault;
  log: Log;
}): Promise<Taken | undefined> => {
  const { config, vault, log } = deps;
  const begun = performance.now();
  let taken: Taken | undefined;
  await withLock(config.POSTGRES_URL, async (session) => {
    const left = { most: config.BACKUP_KEEP_MOST };
    const before = await tidy(vault, { ...left, now: Date.now() });
    if (before.objects > 0) log.info({ objects: before.objects }, "removed what no backup needs");
    const manifest = await make({ ...deps, session });
    const { kept, removed } = await tidy(vault, { ...left, now: Date.now() });
    if (!kept.some(({ id }) => id === manifest.id))
      throw new Fault("backup_failed", "The backup that was just made is not among those in the bucket.");
    const seconds = (performance.now() - begun) / 1_000;
    taken = { manifest, kept: kept.length, removed: [...before.removed, ...removed], seconds };
    log.info({ backup: manifest.id, seconds, ...sizeOf(manifest) }, "a backup was made");
  });
  return taken;
};
