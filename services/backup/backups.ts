/**
 * What an operator does with backups:
 *   backups.ts list               says each of them, the newest first
 *   backups.ts verify [ID]        fetches and opens every object of one, the newest unless named; exit code 1 if it is not whole
 *   backups.ts take               makes one now
 * Prints one JSON object a line on standard output.
 */
import { parseArgs } from "node:util";
import { chassisShape, createLog, Fault, loadConfig, oneShot } from "@astralog/chassis";
import { checkBackup } from "./check.ts";
import { bucketShape, openVault, takeShape } from "./config.ts";
import { sizeOf } from "./manifest.ts";
import { takeBackup } from "./take.ts";
import { listBackups, soundOf } from "./vault.ts";

const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const list = async (): Promise<void> => {
  for (const { id, manifest, problem } of await listBackups(openVault(loadConfig(bucketShape))))
    print(
      manifest === undefined
        ? { id, problem }
        : { id, made_at: manifest.began_at, expires_at: manifest.expires_at, ...sizeOf(manifest) },
    );
};

const verify = async (wanted: string | undefined): Promise<void> => {
  const vault = openVault(loadConfig(bucketShape));
  const found = await listBackups(vault);
  const one = found.find(({ id }) => wanted === undefined || id === wanted);
  if (one === undefined)
    throw new Fault("no_backup", wanted === undefined ? "There is no backup." : `There is no backup ${wanted}.`);
  if (one.manifest === undefined) throw new Fault("backup_refused", `${one.id}: ${one.problem}`);
  const checked = await checkBackup(vault, one.manifest, one.manifest === soundOf(found)[0]);
  print({ id: one.id, ok: checked.problems.length === 0, ...checked });
  if (checked.problems.length > 0) throw new Fault("backup_damaged", `${one.id} is not whole.`);
};

const take = async (): Promise<void> => {
  const config = loadConfig({ LOG_LEVEL: chassisShape.LOG_LEVEL, ...takeShape });
  const log = createLog("backups", config.LOG_LEVEL, process.stderr);
  const taken = await takeBackup({ config, vault: openVault(config), log });
  if (taken === undefined) throw new Fault("busy", "Another backup, or a restore, is under way at this moment.");
  print({ id: taken.manifest.id, seconds: taken.seconds, kept: taken.kept, ...sizeOf(taken.manifest) });
};

await oneShot("backups", async () => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [what, id, ...more] = positionals;
  if (more.length > 0) throw new Fault("invalid_argument", `${more[0]} is one argument too many.`);
  if (what === "list") return list();
  if (what === "verify") return verify(id);
  if (what === "take") return take();
  throw new Fault("invalid_argument", "Say list, verify [ID] or take.");
});
