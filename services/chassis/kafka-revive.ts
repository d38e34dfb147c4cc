/**
 * kafkajs starts a consumer again by itself after what it calls retriable, and gives up after the rest; but a broker that
 * dies in the middle of a SASL handshake is "the rest" to it. To give up would leave the partitions to nobody, silently.
 */
import type { KafkaConsumer } from "./kafka.ts";
import type { Log } from "./log.ts";

const pauseMs = 1_000;

/** Runs `begin` again whenever the client has given up, until `closing` says so. */
export const reviveOnCrash = (
  consumer: KafkaConsumer,
  { log, begin, closing }: { log: Log; begin(): Promise<void>; closing(): boolean },
): void => {
  const revive = (): void => {
    setTimeout(() => {
      if (closing()) return;
      begin().catch((error) => {
        log.warn({ err: error }, "the consumer could not start again yet");
        revive();
      });
    }, pauseMs).unref();
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    log.warn({ err: payload.error }, "the consumer lost its connection and starts again");
    if (!payload.restart) revive();
  });
};
