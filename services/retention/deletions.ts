/**
 * Works deletions through: what is stored is removed at once; then all that was received before the cut must have come
 * through, and is removed, too; then every place is looked through again. Only where all find nothing is it done. Each
 * step can be cut anywhere and begun again, because what is there, and not what is remembered, says what is left to do.
 */
import type { ControlTable, Log } from "@astralog/chassis";
import type { DeletionRecord } from "@astralog/schemas";
import { type Deletion, daysOfSource, readDeletion } from "@astralog/schemas/retention/index";
import type { RetentionMetrics } from "./metrics.ts";
import type { Passage } from "./passage.ts";
import type { Place, Policies } from "./places.ts";
import type { Records, Step } from "./records.ts";

export const createDeletions = (deps: {
  table: Pick<ControlTable<DeletionRecord>, "values">;
  places: readonly Place[];
  passage: Passage;
  records: Records;
  policies(): Policies;
  metrics: RetentionMetrics;
  log: Log;
}) => {
  const { table, places, passage, records, metrics, log } = deps;
  let finished: Set<string> | undefined;
  const told = new Map<string, string>();

  /** Says each thing once. */
  const say = async (step: Step): Promise<void> => {
    const key = `${step.deletion}/${step.place}`;
    const text = JSON.stringify(step);
    if (told.get(key) === text) return;
    await records.step(step);
    told.set(key, text);
  };
  const sayAll = async (deletion: Deletion, state: Step["state"], detail: string): Promise<void> => {
    for (const { name } of places)
      await say({
        ...{ tenant: deletion.tenant, deletion: deletion.id, place: name, state, detail },
        removed: 0,
        found: 0,
      });
  };

  const isHeld = ({ tenant, sources }: Deletion): boolean => {
    const policy = deps.policies().of(tenant);
    if (policy === undefined) return false;
    const ids = sources.length === 0 ? [...policy.sources.keys()] : sources;
    return ids.some((id) => (daysOfSource(policy, id)?.held ?? "none") !== "none");
  };

  const removeAll = async (deletion: Deletion): Promise<void> => {
    for (const place of places) await place.remove(deletion);
  };

  /** Whether every place is found empty. */
  const lookAll = async (deletion: Deletion): Promise<boolean> => {
    let clean = true;
    for (const place of places) {
      const { found, removed, detail, unknown = false } = await place.rescan(deletion);
      clean &&= found === 0 && !unknown;
      const state = clean ? "done" : unknown ? "waiting" : "removing";
      await say({
        ...{ tenant: deletion.tenant, deletion: deletion.id, place: place.name, state, removed, found, detail },
      });
    }
    return clean;
  };

  const work = async (deletion: Deletion): Promise<boolean> => {
    if (isHeld(deletion)) {
      await sayAll(deletion, "held", "a legal hold covers some of its sources; nothing is removed while it stands");
      return false;
    }
    if (!(await passage.passed(deletion))) {
      if (!told.has(`${deletion.id}/events`)) {
        await sayAll(deletion, "removing", "");
        await removeAll(deletion);
      }
      await sayAll(deletion, "waiting", "for what was received before the cut to come through Kafka");
      return false;
    }
    await removeAll(deletion);
    return lookAll(deletion);
  };

  return {
    /** Goes on with each that is not finished. Returns how many those are now. */
    advance: async (): Promise<number> => {
      finished ??= await records.finished();
      let open = 0;
      for (const deletion of [...table.values()].map(readDeletion)) {
        if (finished.has(deletion.id)) continue;
        try {
          if (await work(deletion)) {
            finished.add(deletion.id);
            passage.forget(deletion.id);
            log.info({ deletion: deletion.id, tenant: deletion.tenant }, "a deletion is done");
          } else open += 1;
        } catch (err) {
          open += 1;
          log.warn({ err, deletion: deletion.id }, "a deletion could not go on; it is tried again");
        }
      }
      metrics.deletions.set(open);
      return open;
    },
    /** Looks whether something finished has come back, as a replay could bring it, and removes it. */
    enforce: async (): Promise<void> => {
      finished ??= await records.finished();
      for (const deletion of [...table.values()].map(readDeletion)) {
        if (!finished.has(deletion.id) || isHeld(deletion)) continue;
        for (const place of places) {
          const { found } = await place.rescan(deletion);
          if (found === 0) continue;
          log.warn(
            { deletion: deletion.id, place: place.name, found },
            "what was deleted had come back; it is removed again",
          );
          await place.remove(deletion);
        }
        await lookAll(deletion);
      }
    },
  };
};
