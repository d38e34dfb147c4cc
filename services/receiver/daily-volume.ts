/**
 * How much of its daily volume a tenant has used. The ledger says what is stored, and up to which offsets; to that is
 * added what this receiver has sent beyond those offsets, and what it is sending. So nothing is counted twice, nothing is
 * guessed, and receivers disagree by no more than what the others sent in the seconds that the ledger is behind.
 *
 * A tenant without a limit is not followed. What this process sent is forgotten when it ends; the ledger has it soon.
 */
import type { TenantUsage } from "@astralog/schemas";

/** Bytes of one request on their way. */
export interface Volume {
  /** Kafka has confirmed a record with so many of them. */
  placed(partition: number, offset: number, bytes: number): void;
  /** No more of them will be confirmed. */
  end(): void;
}

/** What one partition has that the ledger may not have. */
interface Sent {
  offset: number;
  bytes: number;
}

interface Own {
  readonly day: string;
  sending: number;
  readonly sent: Map<number, Sent[]>;
}

/** Records of one partition that are kept apart; beyond it they count until the last of them is in the ledger. */
const mostSent = 1_000;

const sum = (sent: readonly Sent[]): number => sent.reduce((bytes, one) => bytes + one.bytes, 0);

export const createDailyVolume = (announced: (tenant: string) => TenantUsage | undefined) => {
  const owns = new Map<string, Own>();

  const through = (tenant: string, day: string): Readonly<Record<string, bigint>> => {
    const usage = announced(tenant);
    return usage?.day === day ? usage.through : {};
  };

  const ownOf = (tenant: string, day: string): Own => {
    const known = owns.get(tenant);
    // Of two days the later one is today; a request that began yesterday keeps its own.
    if (known !== undefined && known.day >= day)
      return known.day === day ? known : { day, sending: 0, sent: new Map() };
    const made: Own = { day, sending: 0, sent: new Map() };
    owns.set(tenant, made);
    return made;
  };

  return {
    used: (tenant: string, day: string): number => {
      const usage = announced(tenant);
      const stored = usage?.day === day ? Number(usage.bytes) : 0;
      const own = owns.get(tenant);
      if (own?.day !== day) return stored;
      return [...own.sent.values()].reduce((bytes, sent) => bytes + sum(sent), stored + own.sending);
    },

    begin: (tenant: string, day: string, bytes: number): Volume => {
      const own = ownOf(tenant, day);
      let left = bytes;
      own.sending += bytes;
      return {
        placed: (partition, offset, size) => {
          const part = Math.min(size, left);
          left -= part;
          own.sending -= part;
          if (offset <= Number(through(tenant, day)[partition] ?? -1n)) return;
          const sent = own.sent.get(partition) ?? [];
          sent.push({ offset, bytes: size });
          const last = Math.max(...sent.map((one) => one.offset));
          own.sent.set(partition, sent.length > mostSent ? [{ offset: last, bytes: sum(sent) }] : sent);
        },
        end: () => {
          own.sending -= left;
          left = 0;
        },
      };
    },

    /** The ledger has more of this tenant than before. */
    learn: (tenant: string): void => {
      const own = owns.get(tenant);
      if (own === undefined) return;
      for (const [partition, counted] of Object.entries(through(tenant, own.day))) {
        const rest = (own.sent.get(Number(partition)) ?? []).filter((one) => one.offset > Number(counted));
        if (rest.length === 0) own.sent.delete(Number(partition));
        else own.sent.set(Number(partition), rest);
      }
      if (own.sent.size === 0 && own.sending === 0) owns.delete(tenant);
    },
  };
};
