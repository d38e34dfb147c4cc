/**
 * How many queries run at once: so many for one tenant and so many in all. Who comes when a place is taken waits his
 * turn, and free places go round the tenants that wait, so that one who asks for much delays himself and nobody else.
 */
import { Fault } from "@astralog/chassis";

export interface AdmissionLimits {
  readonly perTenant: number;
  readonly total: number;
  /** Milliseconds that a query may wait. */
  readonly patience: number;
}

export interface Admission {
  /** Resolves with what gives the place back. Faults: `busy`; `caller_gone` when the signal aborts. */
  enter(tenant: string, signal?: AbortSignal): Promise<() => void>;
}

/** Queries of one tenant that may wait at once; more are refused right away. */
const queueLength = 100;

interface Waiting {
  start(): void;
}

export const createAdmission = ({ perTenant, total, patience }: AdmissionLimits): Admission => {
  const running = new Map<string, number>();
  // In the order of their turns: who got a place goes to the end.
  const waiting = new Map<string, Waiting[]>();
  let all = 0;

  const free = (tenant: string): boolean => all < total && (running.get(tenant) ?? 0) < perTenant;

  const take = (tenant: string): (() => void) => {
    all++;
    running.set(tenant, (running.get(tenant) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      all--;
      const left = (running.get(tenant) ?? 1) - 1;
      if (left === 0) running.delete(tenant);
      else running.set(tenant, left);
      next();
    };
  };

  const next = (): void => {
    for (const [tenant, queue] of waiting) {
      if (!free(tenant)) continue;
      const first = queue.shift();
      waiting.delete(tenant);
      if (queue.length > 0) waiting.set(tenant, queue);
      first?.start();
      return;
    }
  };

  const leave = (tenant: string, one: Waiting): void => {
    const queue = waiting.get(tenant)?.filter((other) => other !== one) ?? [];
    if (queue.length === 0) waiting.delete(tenant);
    else waiting.set(tenant, queue);
  };

  return {
    enter: (tenant, signal) => {
      if (free(tenant) && !waiting.has(tenant)) return Promise.resolve(take(tenant));
      const queue = waiting.get(tenant) ?? [];
      if (queue.length >= queueLength) throw tooMany(perTenant);
      return new Promise((resolve, reject) => {
        const end = (settle: () => void): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", gone);
          leave(tenant, one);
          settle();
        };
        const one: Waiting = { start: () => end(() => resolve(take(tenant))) };
        const timer = setTimeout(() => end(() => reject(tooMany(perTenant))), patience);
        const gone = (): void => end(() => reject(new Fault("caller_gone", "The caller hung up.")));
        signal?.addEventListener("abort", gone);
        waiting.set(tenant, [...queue, one]);
        if (signal?.aborted === true) gone();
      });
    },
  };
};

const tooMany = (perTenant: number): Fault =>
  new Fault(
    "busy",
    `Your organization has ${perTenant} queries running, which is the limit, and others waiting before this one. Ask again in a moment, or stop a query that you no longer need.`,
    { retriable: true },
  );
