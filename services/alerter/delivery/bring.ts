/**
 * Tries to bring a notice to its target, and writes down what came of it. What was sent and not written down before the
 * process died is sent again by the next, under the same id: at least once, and a receiver can tell the repeat.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isPager, type Log, type Notifier, nextTryMs, type WebhookOutcome } from "@astralog/chassis";
import { isTarget, type NoticeState, type Target } from "@astralog/schemas/alerts/index";
import type { Control } from "./control.ts";
import type { Entry, Journal } from "./journal.ts";
import type { DeliveryMetrics } from "./metrics.ts";

export interface BringDeps {
  readonly control: Pick<Control, "destination">;
  readonly journal: Pick<Journal, "of" | "gone" | "write">;
  readonly notifier: Pick<Notifier, "attempt">;
  readonly metrics: DeliveryMetrics;
  readonly log: Log;
  /** From then on nothing new is begun; what is on its way ends by itself. */
  readonly stopped: AbortSignal;
  now(): number;
  owns(partition: number): boolean;
}

const mostTries = 12;
const rewriteMs = 500;

export const createBring = (deps: BringDeps) => {
  const { control, journal, notifier, metrics, log, stopped, now } = deps;

  /** Not before Kafka has it: a notice that looks due would be sent again. */
  const write = async (partition: number, entries: readonly Entry[]): Promise<void> => {
    for (;;) {
      try {
        return await journal.write(partition, entries);
      } catch (error) {
        log.warn({ err: error }, "what came of a notice could not be written down yet");
        if (stopped.aborted || !deps.owns(partition)) return;
        await sleep(rewriteMs);
      }
    }
  };

  const end = (state: NoticeState, status: NoticeState["status"], problem: string): Entry => ({
    ...{ kind: "notice", tenant: state.tenant, id: state.notice.id },
    body: { ...state, status, problem },
  });

  /** A page whose end is due as well: what came between would only open what the end has closed. */
  const isSuperseded = (partition: number, { notice, target, attempts }: NoticeState): boolean =>
    attempts > 0 &&
    notice.happening !== "ended" &&
    [...journal.of(partition).notices.values()].some(
      (other) =>
        other.target === target &&
        other.notice.happening === "ended" &&
        other.notice.incidents[0]?.id === notice.incidents[0]?.id,
    );

  const attempt = async (target: Target, { notice }: NoticeState): Promise<WebhookOutcome> => {
    try {
      return await notifier.attempt(target, notice);
    } catch (error) {
      log.error({ err: error, tenant: target.tenant, destination: target.id }, "a notice cannot be sent as it is");
      return { kind: "failed", problem: "It could not be sent: the destination's settings cannot be used here." };
    }
  };

  return async (partition: number, id: string): Promise<void> => {
    const state = journal.of(partition).notices.get(id);
    if (state === undefined || stopped.aborted || !deps.owns(partition)) return;
    const target = control.destination(state.tenant, state.target);
    if (target === undefined || !isTarget(target))
      return write(partition, [end(state, "cancelled", "The destination was removed.")]);
    if (target.disabled) return write(partition, [end(state, "cancelled", "The destination is turned off.")]);
    if (journal.gone.get(`${state.tenant}/${state.target}`)?.version === target.version)
      return write(partition, [end(state, "cancelled", "The destination wants no more.")]);
    if (isPager(target) && isSuperseded(partition, state))
      return write(partition, [end(state, "superseded", "It was over before it could be brought.")]);

    const begun = now();
    const outcome = await attempt(target, state);
    metrics.tries.inc({ kind: target.kind, outcome: outcome.kind });
    const problem = outcome.kind === "taken" ? "" : outcome.problem;
    const tries = [...state.tries, { at: begun, ms: now() - begun, problem }].slice(-mostTries);
    const tried = { ...state, tries };
    if (outcome.kind === "taken") {
      if (state.attempts === 0) metrics.seconds.observe((now() - state.madeAt) / 1_000);
      return write(partition, [end(tried, "taken", "")]);
    }
    if (outcome.kind === "gone") {
      const { tenant, id: gone, version } = target;
      const body = { tenant, target: gone, version, at: now(), problem };
      log.warn({ tenant, destination: gone }, "a destination wants no more: it is told nothing until it is changed");
      return write(partition, [end(tried, "failed", problem), { kind: "gone", tenant, id: gone, body }]);
    }
    const attempts = state.attempts + 1;
    const waitMs = nextTryMs(attempts);
    if (waitMs === undefined) return write(partition, [end({ ...tried, attempts }, "failed", problem)]);
    const body = { ...tried, attempts, nextAt: now() + waitMs };
    return write(partition, [{ kind: "notice", tenant: state.tenant, id, body }]);
  };
};
