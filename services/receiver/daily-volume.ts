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
  /** All that is not in the ledger: asked for with every request, so it is kept and not summed up. */
  bytes: number;
  /** Requests that have not ended. */
  requests: number;
  readonly sent: Map<number, Sent[]>;
}

/** Records of one partition that are kept apart; beyond it they count until the last of them is in the ledger. */
const mostSent = 1_000;

const sum = (sent: readonly Sent[]): number => sent.reduce((bytes, one) => bytes + one.bytes, 0);

const merged = (sent: readonly Sent[]): Sent => ({
  offset: sent.reduce((last, { offset }) => Math.max(last, offset), 0),
  bytes: sum(sent),
});

const newOwn = (day: string): Own => ({ day, bytes: 0, requests: 0, sent: new Map() });

export const createDailyVolume = (announced: (tenant: string) => TenantUsage | undefined) => {
  const owns = new Map<string, Own>();

  const through = (tenant: string, day: string): Readonly<Record<string, bigint>> => {
    const usage = announced(tenant);
    return usage?.day === day ? usage.through : {};
  };

  const ownOf = (tenant: string, day: string): Own => {
    const known = owns.get(tenant);
    // Of two days the later one is today; a request that began yesterday keeps its own.
    if (known !== undefined && known.day >= day) return known.day === day ? known : newOwn(day);
    const made = newOwn(day);
    owns.set(tenant, made);
    return made;
  };

  return {
    used: (tenant: string, day: string): number => {
      const usage = announced(tenant);
      const stored = usage?.day === day ? Number(usage.bytes) : 0;
      const own = owns.get(tenant);
      return own?.day === day ? stored + own.bytes : stored;
    },

    begin: (tenant: string, day: string, bytes: number): Volume => {
      const own = ownOf(tenant, day);
      let left = bytes;
      own.bytes += bytes;
      own.requests++;
      return {
        placed: (partition, offset, size) => {
          left -= size;
          if (offset <= Number(through(tenant, day)[partition] ?? -1n)) {
            own.bytes -= size;
            return;
          }
          const sent = own.sent.get(partition) ?? [];
          sent.push({ offset, bytes: size });
          own.sent.set(partition, sent.length > mostSent ? [merged(sent)] : sent);
        },
        end: () => {
          own.bytes -= left;
          own.requests--;
          left = 0;
        },
      };
    },

    /** The ledger has more of this tenant than before. */
    learn: (tenant: string): void => {
      const own = owns.get(tenant);
      if (own === undefined) return;
      for (const [partition, counted] of Object.entries(through(tenant, own.day))) {
        const sent = own.sent.get(Number(partition)) ?? [];
        const rest = sent.filter((one) => one.offset > Number(counted));
        own.bytes -= sum(sent) - sum(rest);
        if (rest.length === 0) own.sent.delete(Number(partition));
        else own.sent.set(Number(partition), rest);
      }
      if (own.sent.size === 0 && own.requests === 0) owns.delete(tenant);
    },
  };
};
