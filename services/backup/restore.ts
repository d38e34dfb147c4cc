/**
 * Restores a backup into an empty stack:
 *   restore.ts [--backup ID] [--only postgres|clickhouse] [--accept-loss]
 * Takes the newest sound backup when none is named. All services must be stopped. Nothing is touched before the manifest's
 * signature and each object's checksum hold. When it is killed, the same command goes on. Afterwards sinks read from Kafka
 * what came after the backup. Says what it does on standard error, and one JSON object on standard output.
 */
import { parseArgs } from "node:util";
import { chassisShape, createKafka, createLog, Fault, loadConfig, oneShot } from "@astralog/chassis";
import { checkBackup } from "./check.ts";
import { connectClickHouse } from "./clickhouse.ts";
import { createLoad } from "./clickhouse-load.ts";
import { bucketShape, openVault, serversShape } from "./config.ts";
import { namesOf, planReplay, requireNoSink, setPlace } from "./kafka.ts";
import type { Manifest } from "./manifest.ts";
import { withLock } from "./postgres-dump.ts";
import { loadPostgres, requireEmptyPostgres } from "./postgres-load.ts";
import { createReader, listBackups, soundOf } from "./vault.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const choose = (all: readonly Manifest[], wanted: string | undefined): Manifest => {
  const chosen = wanted === undefined ? all[0] : all.find(({ id }) => id === wanted);
  if (chosen === undefined)
    throw new Fault(
      "no_backup",
      wanted === undefined ? "There is no sound backup in the bucket." : `There is no sound backup ${wanted}.`,
    );
  return chosen;
};

await oneShot("restore", async () => {
  const { values } = parseArgs({
    options: {
      backup: { type: "string" },
      only: { type: "string", default: "" },
      "accept-loss": { type: "boolean", default: false },
    },
  });
  if (!["", "postgres", "clickhouse"].includes(values.only))
    throw new Fault("invalid_argument", `--only must be postgres or clickhouse, not "${values.only}".`);
  const config = loadConfig({ LOG_LEVEL: chassisShape.LOG_LEVEL, ...bucketShape, ...serversShape });
  const begun = performance.now();
  const seconds = (): string => `${((performance.now() - begun) / 1_000).toFixed(1)} s`;
  const vault = openVault(config);
  const found = await listBackups(vault);
  for (const { id, problem } of found) if (problem !== "") say(`${id}: left out. ${problem}`);
  const all = soundOf(found);
  const manifest = choose(all, values.backup);
  // A key that was deleted since is to stay deleted.
  const newest = choose(all, undefined);
  say(`backup ${manifest.id} of ${manifest.began_at}`);

  const clickhouse = connectClickHouse({
    url: config.CLICKHOUSE_URL,
    username: config.CLICKHOUSE_USERNAME,
    password: config.CLICKHOUSE_PASSWORD,
    database: config.CLICKHOUSE_DATABASE,
  });
  const load = createLoad(clickhouse, say);
  const toClickHouse = values.only !== "postgres";
  const toPostgres = values.only !== "clickhouse";
  const kafka = createKafka(config, createLog("restore", "error", process.stderr), "astralog-restore");
  const names = namesOf(kafka, config.SINK_GROUP);
  const admin = kafka.admin();
  await admin.connect();
  const done: Record<string, unknown> = { backup: manifest.id, made_at: manifest.began_at };
  const work = async (session: Parameters<Parameters<typeof withLock>[1]>[0]): Promise<void> => {
    await requireNoSink(admin, names);
    const replay = await planReplay(admin, names, manifest.kafka);
    if (toClickHouse && replay.forgotten > 0 && !values["accept-loss"])
      throw new Fault(
        "records_forgotten",
        `Kafka has forgotten ${replay.forgotten} record(s) that came after the backup. To go without them: --accept-loss.`,
      );
    if (toClickHouse) await load.requireEmpty(manifest.id);
    const isRestored = toPostgres && (await requireEmptyPostgres(session, manifest.id));
    const checked = await checkBackup(vault, manifest, manifest === newest);
    const [problem] = checked.problems;
    if (problem !== undefined)
      throw new Fault(
        "backup_damaged",
        `${checked.problems.length} object(s) are damaged, and nothing was restored. ${problem}`,
      );
    say(`signature and ${checked.objects} objects of ${checked.bytes} bytes hold (${seconds()})`);

    const open = await createReader(vault, manifest);
    const lacking = toClickHouse ? await load.load(manifest, open) : [];
    if (lacking.length > 0 && !values["accept-loss"])
      throw new Fault(
        "events_lacking",
        `Events that the ledger calls stored are not in the backup: ${lacking.slice(0, 5).join("; ")}. To go on all the same: --accept-loss.`,
      );
    if (isRestored) say("postgres: is restored already");
    else if (toPostgres) {
      const keys = { slices: newest.postgres.keys, open: await createReader(vault, newest) };
      const rows = await loadPostgres({ url: config.POSTGRES_URL, session, manifest, open, keys });
      say(`postgres: ${rows} rows (${seconds()})`);
      Object.assign(done, { postgres_rows: rows });
    }
    if (toClickHouse) {
      await setPlace(admin, names, replay);
      await load.finish(manifest);
      say(`kafka: sinks go on ${replay.records} record(s) before its end`);
      Object.assign(done, { records_to_replay: replay.records, records_forgotten: replay.forgotten });
    }
  };
  try {
    if (!(await withLock(config.POSTGRES_URL, work)))
      throw new Fault("busy", "A backup or another restore is under way at this moment.");
  } finally {
    await admin.disconnect();
  }
  say(`restored (${seconds()}). Run provision, which makes the api's rights, then start the services.`);
  process.stdout.write(`${JSON.stringify({ ...done, seconds: (performance.now() - begun) / 1_000 })}\n`);
});
