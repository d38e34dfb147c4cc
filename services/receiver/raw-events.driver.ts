/** For tests on real servers: all that lies in a platform's events.raw, as it comes in. */
import { consume, createKafka, createLog, kafkaShape, loadConfig } from "@astralog/chassis";
import { type BatchHeader, type Event, eventSpans, readBatchHeader, readEvent, topics } from "@astralog/schemas";
import type { Platform } from "@astralog/testbed";

export interface RawBatch {
  readonly partition: number;
  readonly offset: number;
  readonly header: BatchHeader;
  readonly events: readonly Event[];
}

export interface RawEvents {
  readonly batches: readonly RawBatch[];
  /** Messages of all events so far. */
  messages(): string[];
  /** Waits until `done` holds of the batches. Rejects after 30 seconds. */
  until(done: (batches: readonly RawBatch[]) => boolean): Promise<void>;
  close(): Promise<void>;
}

export const readRawEvents = async (platform: Platform): Promise<RawEvents> => {
  const config = loadConfig(kafkaShape, platform.env("redactor"));
  const log = createLog("test", "fatal");
  const kafka = createKafka(config, log, "test");
  const batches: RawBatch[] = [];
  const consumer = await consume(
    kafka,
    { log },
    {
      group: `redactor.test.${process.pid}.${performance.now()}`,
      topics: [kafka.name(topics.raw.name)],
      maxWaitMs: 50,
      handle: ({ partition, records }) => {
        for (const { offset, value } of records) {
          if (value === null) continue;
          const { eventsAt, ...header } = readBatchHeader(value);
          const starts = eventSpans(value, eventsAt).filter((_, i) => i % 2 === 0);
          batches.push({ partition, offset, header, events: starts.map((start) => readEvent(value, start)) });
        }
        return Promise.resolve();
      },
    },
  );
  return {
    batches,
    messages: () => batches.flatMap((batch) => batch.events.map((event) => event.message)),
    until: async (done) => {
      for (let i = 0; i < 600 && !done(batches); i++) await new Promise((resolve) => setTimeout(resolve, 50));
      if (!done(batches)) throw new Error(`events.raw holds ${batches.length} batches and not what was awaited`);
    },
    close: consumer.close,
  };
};
