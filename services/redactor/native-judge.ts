/**
 * The verdict on one record of a native topic. As for events.raw there is exactly one clean record for each, so the
 * ledger has no gaps; but whose it is, is known from the topic even when nothing of it can be read.
 */
import { Fault } from "@astralog/chassis";
import { type Judge, type JudgeOptions, mostCleanBytes } from "./judge.ts";
import { headerOf, nativeBatch, type Origin } from "./native-batch.ts";
import { redactBatch } from "./redact.ts";
import { died, passed } from "./verdict.ts";

export interface NativeJudgeOptions extends JudgeOptions {
  /** Whose the topic is; undefined when no source has it (any more). */
  sourceOf(topic: string): Pick<Origin, "tenant" | "source" | "retentionDays"> | undefined;
}

/** Rejects only with a retriable Fault: the registry is away, or the topic's source is not known. */
export const createNativeJudge =
  ({ schemaId, writerOf, sourceOf, maxBytes = mostCleanBytes }: NativeJudgeOptions): Judge =>
  async ({ value, timestamp }, at) => {
    const source = sourceOf(at.topic);
    if (source === undefined)
      throw new Fault("source_unknown", `The source of ${at.topic} is not known here yet.`, { retriable: true });
    const origin = { ...source, receivedAt: timestamp };
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
