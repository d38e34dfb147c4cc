/**
 * Hands a request's parts to Kafka and waits until each is confirmed. Which partition: one of the tenant's k; with a
 * dedup key always the same one, so that repeats meet; else the one with the least waiting.
 */
import { Fault, type RecordProducer } from "@astralog/chassis";
import { formatReceipt, keyedPartition, type ReceiptPart, tenantPartitions, topics } from "@astralog/schemas";
import type { Part } from "./event-parts.ts";
import { Refusal } from "./refusals.ts";

export interface Submitted {
  readonly tenant: string;
  /** The k of the tenant's plan. */
  readonly partitions: number;
  readonly dedupKey: string;
  readonly parts: readonly Part[];
  /** Told of each part that Kafka has confirmed, and where it lies. */
  placed(partition: number, offset: number, eventBytes: number): void;
}

/**
 * `acknowledged` resolves with the receipt or rejects with a Refusal: kafka_unavailable, record_refused. `settled` resolves
 * when Kafka's client has done with all parts, and says whether each was confirmed.
 */
export type Submit = (work: Submitted) => { acknowledged: Promise<string>; settled: Promise<boolean> };

const total = topics.raw.partitions;
/** Tenants whose partitions are remembered. */
const maxTenants = 50_000;

export const createSubmit = (
  producer: Pick<RecordProducer, "send">,
  topic: string,
  { ackTimeoutMs, onOutcome }: { ackTimeoutMs: number; onOutcome(confirmed: boolean): void },
): Submit => {
  const chosen = new Map<string, number[]>();
  const waiting = new Float64Array(total);
  let turn = 0;

  const choices = (tenant: string, k: number): number[] => {
    const id = `${k}/${tenant}`;
    let known = chosen.get(id);
    if (known === undefined) {
      if (chosen.size >= maxTenants) chosen.clear();
      chosen.set(id, (known = tenantPartitions(tenant, k, total)));
    }
    return known;
  };

  /** The one with the least waiting; of equals, each in turn. */
  const lightest = (among: readonly number[]): number => {
    turn++;
    let best = among[turn % among.length] as number;
    for (let i = 1; i < among.length; i++) {
      const partition = among[(turn + i) % among.length] as number;
      if ((waiting[partition] as number) < (waiting[best] as number)) best = partition;
    }
    return best;
  };

  const send = async (part: Part, partition: number, tell: Submitted["placed"]): Promise<ReceiptPart> => {
    waiting[partition] = (waiting[partition] as number) + part.value.length;
    try {
      const placed = await producer.send({ topic, partition, value: part.value });
      onOutcome(true);
      tell(partition, placed.offset, part.eventBytes);
      return { topic: topics.raw.name, partition, offset: placed.offset, count: part.count };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (!error.retriable)
        throw new Refusal("record_refused", "Kafka refused a record of this request.", { cause: error });
      onOutcome(false);
      throw new Refusal("kafka_unavailable", "Kafka did not confirm all events. Send the request again.", {
        cause: error,
      });
    } finally {
      waiting[partition] = (waiting[partition] as number) - part.value.length;
    }
  };

  return ({ tenant, partitions, dedupKey, parts, placed }) => {
    const among = choices(tenant, partitions);
    const fixed = dedupKey === "" ? undefined : keyedPartition(dedupKey, among);
    const sends = parts.map((part) => send(part, fixed ?? lightest(among), placed));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new Refusal("kafka_unavailable", "Kafka has not confirmed all events in time. Send the request again."),
          ),
        ackTimeoutMs,
      );
    });
    const all = Promise.all(sends);
    return {
      acknowledged: Promise.race([all, late])
        .then(formatReceipt)
        .finally(() => clearTimeout(timer)),
      settled: Promise.allSettled(sends).then((results) => results.every(({ status }) => status === "fulfilled")),
    };
  };
};
