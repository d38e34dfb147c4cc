/** What one event and one request may be. Each limit is documented in the README and named in the answer that enforces it. */

const mebi = 1_048_576;

/** One event as the client wrote it, in bytes; for OTLP as it is stored. */
export const maxEventBytes = mebi;
/** Attributes of one event after flattening. */
export const maxFields = 1_000;
/** Bytes of one attribute's dotted name. With maxFields it bounds how much flattening can add to an event. */
export const maxNameBytes = 512;
/** Nesting of one event: the event itself is 1. */
export const maxDepth = 64;
/** Nesting at which a body is taken for an attack and refused as a whole. */
export const refusedDepth = 1_024;
/** Rejected events that one answer names; a body with more is refused as a whole. */
export const maxRejected = 10_000;
/** An Idempotency-Key in characters. */
export const maxIdempotencyKey = 255;

/** One Kafka record: enough to make compression and scanning cheap, small enough to spread over partitions. */
export const recordEvents = 3_000;
export const recordBytes = mebi;
