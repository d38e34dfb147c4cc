/** What one request may be; what one event may be is in the schemas' json/limits.ts. Each limit is documented in the README and named in the answer that enforces it. */

const mebi = 1_048_576;

/** Rejected events that one answer names; a body with more is refused as a whole. */
export const maxRejected = 10_000;
/** An Idempotency-Key in characters. */
export const maxIdempotencyKey = 255;

/** One Kafka record: enough to make compression and scanning cheap, small enough to spread over partitions. */
export const recordEvents = 3_000;
export const recordBytes = mebi;
