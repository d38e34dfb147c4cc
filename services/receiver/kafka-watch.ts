/**
 * Whether Kafka can be written to. After a failure requests are turned away at once, without reading their bodies, until
 * Kafka answers a probe: waiting for time-outs one after the other would fill memory and tell clients nothing.
 */
import type { KafkaClient, Log } from "@astralog/chassis";

const probeMs = 500;

export interface KafkaWatch {
  readonly up: boolean;
  /** What became of a record. */
  outcome(confirmed: boolean): void;
  close(): void;
}

export const createKafkaWatch = (kafka: Pick<KafkaClient, "admin">, log: Log): KafkaWatch => {
  let up = true;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const probe = async (): Promise<void> => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      up = true;
      log.info("Kafka answers again");
    } catch {
      // Its own log says so.
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
    timer = up || closed ? undefined : setTimeout(() => void probe(), probeMs);
  };

  return {
    get up() {
      return up;
    },
    outcome: (confirmed) => {
      if (confirmed) {
        up = true;
        return;
      }
      if (up) log.warn("Kafka does not confirm records; requests are turned away until it answers");
      up = false;
      timer ??= setTimeout(() => void probe(), probeMs);
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
};
