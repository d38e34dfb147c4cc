/** A source's bytes per second on its native topic, for this process: what exceeds it waits in Kafka, and only there. */
import type { SourceRecord } from "@astralog/schemas";

/** Seconds of its rate that a quiet source may send at once, as at the receiver. */
const burstSeconds = 2;

export const createRate = (now: () => number = () => performance.now()) => {
  const spent = new Map<string, { bytes: number; at: number }>();

  const drained = (topic: string, perSecond: number) => {
    const at = now();
    const found = spent.get(topic) ?? { bytes: 0, at };
    found.bytes = Math.max(0, found.bytes - ((at - found.at) / 1000) * perSecond);
    found.at = at;
    spent.set(topic, found);
    return found;
  };

  return {
    /** Milliseconds until the topic's next records may be taken; 0 is now. */
    wait: (topic: string, { max_bytes_per_second }: Pick<SourceRecord, "max_bytes_per_second">): number => {
      const perSecond = Number(max_bytes_per_second);
      if (perSecond <= 0) return 0;
      const over = drained(topic, perSecond).bytes - perSecond * burstSeconds;
      return over <= 0 ? 0 : (over / perSecond) * 1000;
    },
    spend: (topic: string, bytes: number): void => {
      const found = spent.get(topic);
      if (found !== undefined) found.bytes += bytes;
    },
  };
};
