/** Position and counts of a partition, kept together on alerts.positions. */
import type { KafkaAdmin, Log, RecordProducer, TopicReader } from "@astralog/chassis";
import { sendSurely } from "../send.ts";
import { encodeSnapshot, readSnapshot } from "../snapshot.ts";
import type { Lane } from "./lane.ts";
import { type PartitionState, partitionFromJson, partitionToJson } from "./partition.ts";

interface PositionsDeps {
  readonly admin: KafkaAdmin;
  readonly reader: TopicReader;
  readonly producer: RecordProducer;
  readonly log: Log;
}

const format = 1;

export const createPositions = (deps: PositionsDeps, { topic, schemaId }: { topic: string; schemaId: number }) => ({
  /** As somebody last left it; undefined where nobody has. */
  read: async (partition: number): Promise<PartitionState | undefined> => {
    const json = await readSnapshot<ReturnType<typeof partitionToJson>>(deps, { topic, partition, format });
    return json === undefined ? undefined : partitionFromJson(json);
  },

  save: async (lane: Lane): Promise<void> => {
    const { partition, state } = lane;
    if (state === undefined || state.next === lane.savedNext) return;
    lane.savedAt = Date.now();
    const value = await encodeSnapshot(schemaId, format, {
      ...{ partition, through: state.next },
      body: partitionToJson(state),
    });
    await sendSurely(deps.producer, deps.log, [{ topic, partition, value }], () => !lane.lost);
    lane.savedNext = state.next;
  },
});
