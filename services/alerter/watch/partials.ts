/** What a partition has to say, as one record for each partition of alerts.partials that a rule of it lies in. */
import type { Log, RecordProducer } from "@astralog/chassis";
import { type AlertPartials, encodeRecord } from "@astralog/schemas";
import { rulePartition } from "@astralog/schemas/alerts/index";
import { sendSurely } from "../send.ts";
import type { Lane } from "./lane.ts";
import type { PartitionState } from "./partition.ts";

/** `also`: rules whose partitions are told of the watermark, whether or not there is anything else. */
export const spreadPartials = (
  head: Pick<AlertPartials, "partition" | "through" | "watermark">,
  parts: Partial<AlertPartials>,
  also: readonly string[],
): Map<number, AlertPartials> => {
  const byTarget = new Map<number, AlertPartials>();
  const target = (rule: string): AlertPartials => {
    const partition = rulePartition(rule);
    let record = byTarget.get(partition);
    if (record === undefined) {
      const { seen = 0n, known = 0n } = parts;
      record = { ...head, seen, known, admitted: [], counters: [], matches: [] };
      byTarget.set(partition, record);
    }
    return record;
  };
  for (const admitted of parts.admitted ?? []) target(admitted.rule).admitted.push(admitted);
  for (const counter of parts.counters ?? []) target(counter.rule).counters.push(counter);
  for (const match of parts.matches ?? []) target(match.rule).matches.push(match);
  for (const rule of also) target(rule);
  return byTarget;
};

/** `everywhere`: also to the partitions of those rules that have nothing else to say. Resolves once Kafka has it. */
export const createEmit =
  ({
    producer,
    log,
    topic,
    schemaId,
  }: {
    readonly producer: RecordProducer;
    readonly log: Log;
    readonly topic: string;
    readonly schemaId: number;
  }) =>
  async (lane: Lane, state: PartitionState, parts: Partial<AlertPartials>, everywhere: boolean): Promise<void> => {
    const byTarget = spreadPartials(
      { partition: lane.partition, through: BigInt(state.next), watermark: BigInt(state.watermark) },
      parts,
      everywhere ? lane.rules.map(({ active }) => active.key) : [],
    );
    await Promise.all(
      [...byTarget].map(([partition, record]) => {
        const value = encodeRecord("AlertPartials", schemaId, record);
        return sendSurely(producer, log, [{ topic, partition, value }], () => !lane.lost);
      }),
    );
  };
