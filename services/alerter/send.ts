/** Sends until Kafka has confirmed, or until the sender has no more right to. */
import { setTimeout as sleep } from "node:timers/promises";
import { Fault, type Log, type OutRecord, type Placed, type RecordProducer } from "@astralog/chassis";

const pauseMs = 500;

/** Undefined: given up, because `current` says that this is somebody else's now. */
export const sendSurely = async (
  producer: Pick<RecordProducer, "sendTogether">,
  log: Log,
  records: readonly OutRecord[],
  current: () => boolean,
): Promise<Placed[] | undefined> => {
  if (records.length === 0) return [];
  for (;;) {
    if (!current()) return undefined;
    try {
      return await producer.sendTogether(records);
    } catch (error) {
      if (!(error instanceof Fault) || !error.retriable) throw error;
      log.warn({ err: error }, "what was judged could not be written yet");
      await sleep(pauseMs);
    }
  }
};
