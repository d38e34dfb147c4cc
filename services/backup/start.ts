/** When backups are made, and what is said when one is late. */
import { type Context, createPause, Fault } from "@astralog/chassis";
import { openVault, type shape } from "./config.ts";
import { sizeOf } from "./manifest.ts";
import { createBackupMetrics } from "./metrics.ts";
import { takeBackup } from "./take.ts";
import { listBackups, soundOf } from "./vault.ts";

const longestPauseMs = 300_000;
/** Another makes one at this moment, by hand. */
const busyMs = 10_000;

export const start = async ({
  config,
  log,
  health,
  metrics: registered,
  onStop,
}: Context<typeof shape>): Promise<void> => {
  const vault = openVault(config);
  const metrics = createBackupMetrics(registered);
  const everyMs = config.BACKUP_EVERY_MINUTES * 60_000;
  const startedAt = Date.now();
  let newest = 0;
  let problem = "";
  let told = 0;

  /** One that was missed is late, as is one that takes longer than there is between two. */
  const isLate = (): boolean => Date.now() > Math.max(newest, startedAt) + 2 * everyMs;
  health.require(
    "backups",
    () => !isLate() || `the newest is older than two intervals${problem === "" ? "" : `: ${problem}`}`,
  );

  const between = createPause();

  const turn = async (): Promise<number> => {
    if (newest === 0) {
      const [last] = soundOf(await listBackups(vault));
      newest = last === undefined ? 0 : Date.parse(last.began_at);
      metrics.madeAt.set(newest / 1_000);
    }
    const due = newest + everyMs - Date.now();
    if (due > 0) return due;
    const taken = await takeBackup({ config, vault, log });
    if (taken === undefined) {
      newest = 0;
      return busyMs;
    }
    newest = Date.parse(taken.manifest.began_at);
    const { bytes, own } = sizeOf(taken.manifest);
    metrics.madeAt.set(newest / 1_000);
    metrics.bytes.set(bytes);
    metrics.addedBytes.set(own);
    metrics.seconds.set(taken.seconds);
    metrics.kept.set(taken.kept);
    return Math.max(0, newest + everyMs - Date.now());
  };

  const work = async (): Promise<void> => {
    for (let failures = 0; !between.stopped; ) {
      try {
        const pause = await turn();
        [failures, problem] = [0, ""];
        await between.rest(pause);
      } catch (err) {
        failures += 1;
        problem = err instanceof Fault ? err.message : "the last one failed";
        metrics.failures.inc();
        log.warn({ err, failures }, "a backup failed; it is tried again");
        // Said once an interval, and for an operator.
        if (isLate() && Date.now() - told > everyMs) {
          told = Date.now();
          log.error(
            { newest: newest === 0 ? "none" : new Date(newest).toISOString() },
            "there is no new backup for two intervals",
          );
        }
        await between.rest(Math.min(1_000 * 2 ** failures, longestPauseMs, everyMs));
      }
    }
  };
  const working = work();
  onStop("work", async () => {
    between.stop();
    // What is cut off here is no backup, and is cleared away by the next.
    await Promise.race([working, new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
  });
};
