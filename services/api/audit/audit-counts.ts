/**
 * Acts that may come in floods, such as refused keys: the first of a kind is written at once, those that follow within
 * the window as one event with their count. A kind is a tenant, an action, an actor and a reason, none of which a
 * stranger can multiply; so neither the table nor the memory fills. What a process has counted and not yet written, at
 * most a window's, is lost with it when it is killed.
 */
import type { Log } from "@astralog/chassis";
import type { Db } from "../postgres.ts";
import { type Act, auditText, type By, recordAct } from "./audit-trail.ts";

export interface AuditCounts {
  note(by: By, act: Omit<Act, "details">, reason: string): void;
  /** Writes what is counted. */
  close(): Promise<void>;
}

interface Entry {
  readonly by: By;
  readonly act: Omit<Act, "details">;
  readonly reason: string;
  count: number;
  first: number;
  last: number;
  addresses: Set<string>;
}

const mostAddresses = 100;

export const createAuditCounts = (
  { db, log }: { db: Db; log: Log },
  { windowMs = 60_000 }: { windowMs?: number } = {},
): AuditCounts => {
  const entries = new Map<string, Entry>();
  let writing = Promise.resolve();

  const write = (entry: Entry): void => {
    writing = writing.then(async () => {
      const { count, first, last, addresses } = entry;
      entry.count = 0;
      entry.addresses = new Set();
      const details = {
        reason: entry.reason,
        count,
        first_at: new Date(first).toISOString(),
        last_at: new Date(last).toISOString(),
        addresses: addresses.size,
      };
      try {
        await db.transaction().execute((trx) => recordAct(trx, entry.by, { ...entry.act, details }));
      } catch (error) {
        entry.count += count;
        entry.first = first;
        for (const address of addresses) entry.addresses.add(address);
        log.warn({ err: error, action: entry.act.action, count }, "acts could not be added to the audit trail yet");
      }
    });
  };

  const timer = setInterval(() => {
    for (const [kind, entry] of entries) {
      if (entry.count > 0) write(entry);
      else entries.delete(kind);
    }
  }, windowMs);

  return {
    note: (by, act, reason) => {
      const kind = JSON.stringify([act.tenant, act.action, by.actor.kind, by.actor.id, reason]);
      const known = entries.get(kind);
      const entry = known ?? { by, act, reason: auditText(reason), count: 0, first: 0, last: 0, addresses: new Set() };
      entry.last = Date.now();
      if (entry.count++ === 0) entry.first = entry.last;
      if (entry.addresses.size < mostAddresses) entry.addresses.add(by.where.ip);
      if (known !== undefined) return;
      entries.set(kind, entry);
      write(entry);
    },
    close: async () => {
      clearInterval(timer);
      await writing;
      for (const entry of entries.values()) if (entry.count > 0) write(entry);
      await writing;
    },
  };
};
