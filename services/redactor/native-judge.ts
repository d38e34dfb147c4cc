/**
 * The verdict on one record of a native topic. As for events.raw there is exactly one clean record for each, so the
 * ledger has no gaps; but whose it is, is known from the topic even when nothing of it can be read.
 */
import { Fault, openBytes } from "@astralog/chassis";
import { replayDedupId, unwrapReplay } from "@astralog/schemas";
import { type Judge, type JudgeOptions, mostCleanBytes } from "./judge.ts";
import { headerOf, nativeBatch, type Origin } from "./native-batch.ts";
import { redactBatch } from "./redact.ts";
import { died, passed } from "./verdict.ts";

export interface NativeJudgeOptions extends JudgeOptions {
  /** Whose the topic is; undefined when no source has it (any more). */
  sourceOf(topic: string): Pick<Origin, "tenant" | "source" | "retentionDays"> | undefined;
  /** Opens what comes back from the dead letters. */
  deadLetterKey: Buffer;
}

interface Written {
  readonly value: Buffer | null;
  readonly dedupId: string;
}

/** What the producer wrote, also of a record that died before and was sent back. */
const asWritten = (key: Buffer, topic: string, value: Buffer | null): Written => {
  const replay = value === null ? undefined : unwrapReplay(value);
  // The place is of this topic: what another source's producer wrote is not read as this one's.
  if (replay === undefined || !replay.place.startsWith(`${topic}/`)) return { value, dedupId: "" };
  try {
    return { value: openBytes(key, replay.sealed, replay.place), dedupId: replayDedupId(replay.place) };
  } catch {
    return { value, dedupId: "" };
  }
};

/** Rejects only with a retriable Fault: the registry is away, or the topic's source is not known. */
export const createNativeJudge =
  ({ schemaId, writerOf, sourceOf, deadLetterKey, maxBytes = mostCleanBytes }: NativeJudgeOptions): Judge =>
  async (record, at) => {
    const source = sourceOf(at.topic);
    if (source === undefined)
      throw new Fault("source_unknown", `The source of ${at.topic} is not known here yet.`, { retriable: true });
    const { value, dedupId } = asWritten(deadLetterKey, at.topic, record.value);
    const origin = { ...source, dedupId, receivedAt: record.timestamp };
    try {
      const { value: batch, dead } = await nativeBatch(value, origin, schemaId, writerOf);
      const redacted = redactBatch(batch, at, schemaId);
      return passed({ ...redacted, dead: [...dead, ...redacted.dead] }, maxBytes, false);
    } catch (error) {
      if (error instanceof Fault && error.retriable) throw error;
      // How many events it would have been, nobody can say: the record counts as one.
      return died(value, at, schemaId, headerOf(origin, 1), error, false);
    }
  };
