/**
 * The delivering stage: follows alerts.transitions in a group of its own and keeps, for each partition it was given, the
 * incidents and notices of alerts.deliveries. A transition's incident is written down before its offset is committed, and
 * a notice before it is sent: whoever has the partition next goes on from there.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Delivery, Log, Notifier } from "@astralog/chassis";
import { decodeRecord } from "@astralog/schemas";
import type { IncidentState } from "@astralog/schemas/alerts/index";
import { applyTransition, mostUntold } from "./apply.ts";
import { createBring } from "./bring.ts";
import type { Pages } from "./compose.ts";
import type { Control } from "./control.ts";
import { createCourier } from "./courier.ts";
import type { Entry, Journal } from "./journal.ts";
import type { DeliveryMetrics } from "./metrics.ts";
import { createTell, type Told } from "./tell.ts";

export interface StageDeps {
  readonly control: Control;
  readonly journal: Journal;
  readonly notifier: Pick<Notifier, "attempt">;
  readonly pages: Pages;
  readonly metrics: DeliveryMetrics;
  readonly log: Log;
  now(): number;
}

export interface Stage {
  handle(delivery: Delivery): Promise<void>;
  assigned(partitions: readonly { partition: number }[]): void;
  /** Stops trying; resolves when what is on its way is back and written down. */
  close(): Promise<void>;
}

/** What a window has to say about several groups comes record by record: so long it is waited for, to tell it together. */
const togetherMs = 100;
const tickMs = 50;
const retakeMs = 500;
const forgetEveryMs = 60_000;
/** So long an api that follows the topic may be away without its history having a hole. */
const forgetAfterMs = 3 * 86_400_000;
const forgetAtOnce = 500;

interface Owned {
  /** Resolves when the partition's state is known here. */
  readonly taken: Promise<void>;
  ready: boolean;
  /** Incident to when it is to be looked at. */
  readonly wakeAt: Map<string, number>;
  /** Changes of one partition's incidents come one after the other. */
  working: Promise<void>;
  revision: number;
}

export const startStage = (deps: StageDeps): Stage => {
  const { control, journal, metrics, log, now } = deps;
  const owned = new Map<number, Owned>();
  const stop = new AbortController();
  const courier = createCourier();
  const tell = createTell(deps);
  const owns = (partition: number) => owned.get(partition)?.ready === true;
  const bring = createBring({ ...deps, stopped: stop.signal, owns });

  /** Until it is known here how far another has come, however long Kafka takes to tell. */
  const take = async (partition: number): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        return await journal.caughtUp(partition);
      } catch (error) {
        log.warn({ err: error, partition }, "how far people have been told could not be read yet");
        await sleep(retakeMs);
      }
    }
  };

  const serially = <T>(one: Owned, work: () => Promise<T>): Promise<T> => {
    const done = one.working.then(work);
    one.working = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  };

  const lookAt = async (one: Owned, partition: number): Promise<void> => {
    const at = now();
    const { incidents } = journal.of(partition);
    if (one.revision !== control.revision) {
      one.revision = control.revision;
      for (const { id, closed } of incidents.values())
        if (!closed) one.wakeAt.set(id, Math.min(at, one.wakeAt.get(id) ?? at));
    }
    const due = [...one.wakeAt].filter(([, when]) => when <= at).map(([id]) => id);
    const found = due.flatMap((id) => incidents.get(id) ?? []);
    const write = async ({ entries, wakeAt }: Told): Promise<void> => {
      await journal.write(partition, entries);
      for (const entry of entries)
        if (entry.kind === "notice" && entry.body !== undefined)
          metrics.notices.inc({ happening: entry.body.notice.happening });
      for (const [id, when] of wakeAt) {
        if (Number.isFinite(when)) one.wakeAt.set(id, when);
        else one.wakeAt.delete(id);
      }
    };
    // What rules have to say at one window's end is on its way at once; what failed is looked at again when all are back.
    const written = await Promise.allSettled(tell(found, at).map(write));
    const failed = written.find(({ status }) => status === "rejected");
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  };

  const apply = async (one: Owned, { partition, records }: Delivery): Promise<void> => {
    const { incidents } = journal.of(partition);
    let changed = new Map<string, IncidentState>();
    const write = async (): Promise<void> => {
      await journal.write(
        partition,
        [...changed.values()].map((body): Entry => ({ kind: "incident", tenant: body.tenant, id: body.id, body })),
      );
      for (const [id, { tenant, rule }] of changed) {
        const alone = control.rule(tenant, rule)?.definition.when.type === "match";
        const at = now() + (alone ? 0 : togetherMs);
        one.wakeAt.set(id, Math.min(at, one.wakeAt.get(id) ?? at));
      }
      changed = new Map();
    };
    for (const { offset, value } of records) {
      if (value === null) continue;
      const transition = decodeRecord("AlertTransition", value);
      const id = transition.incident;
      let before = changed.get(id) ?? incidents.get(id);
      // A burst is told as it comes: an incident keeps so many and no more.
      if (before !== undefined && before.untold.length >= mostUntold && before.hold === "" && control.complete) {
        await write();
        one.wakeAt.set(id, now());
        await lookAt(one, partition);
        before = incidents.get(id);
      }
      const after = applyTransition(before, transition, offset);
      if (after !== undefined) changed.set(id, after);
    }
    await write();
  };

  const send = (partition: number): void => {
    const at = now();
    for (const [id, { tenant, target, nextAt, notice }] of journal.of(partition).notices)
      if (nextAt <= at)
        courier.take({ id, tenant, target, lane: notice.rule.id, run: () => bring(partition, id).catch(told) });
  };
  const told = (error: unknown): void => log.error({ err: error }, "a notice could not be looked at");

  const tick = async (): Promise<void> => {
    if (!control.complete) return;
    const looked = await Promise.allSettled(
      [...owned].map(async ([partition, one]) => {
        if (!one.ready) return;
        await serially(one, () => lookAt(one, partition));
        send(partition);
      }),
    );
    for (const one of looked) if (one.status === "rejected") throw one.reason;
    metrics.due.set([...owned.keys()].reduce((sum, partition) => sum + journal.of(partition).notices.size, 0));
    metrics.waiting.set(courier.waiting);
  };
  let ticking: Promise<void> | undefined;
  const timer = setInterval(() => {
    ticking ??= tick()
      .catch((error: unknown) => log.warn({ err: error }, "people could not be told; it is tried again"))
      .finally(() => {
        ticking = undefined;
      });
  }, tickMs);

  const forget = async (): Promise<void> => {
    const before = now() - forgetAfterMs;
    for (const [partition, one] of owned) {
      if (!one.ready) continue;
      const old = [...journal.of(partition).ended].filter(([, at]) => at < before).slice(0, forgetAtOnce);
      const entries = old.map(([key]) => {
        const [kind, tenant, id] = key.split("/");
        return { kind, tenant, id, body: undefined } as Entry;
      });
      await serially(one, () => journal.write(partition, entries));
    }
  };
  const forgetTimer = setInterval(
    () => void forget().catch((error: unknown) => log.warn({ err: error }, "old notices could not be forgotten yet")),
    forgetEveryMs,
  );

  return {
    assigned: (partitions) => {
      owned.clear();
      for (const { partition } of partitions) {
        // Also what stays: who was away for a moment may have missed that another had it.
        const one: Owned = {
          taken: take(partition),
          ready: false,
          wakeAt: new Map(),
          working: Promise.resolve(),
          revision: -1,
        };
        owned.set(partition, one);
        void one.taken.then(() => {
          one.ready = true;
        });
      }
    },
    handle: async (delivery) => {
      const one = owned.get(delivery.partition);
      if (one === undefined) throw new Error("the partition was given to nobody here");
      await one.taken;
      await serially(one, () => apply(one, delivery));
    },
    close: async () => {
      clearInterval(timer);
      clearInterval(forgetTimer);
      stop.abort();
      await ticking;
      await courier.close();
    },
  };
};
