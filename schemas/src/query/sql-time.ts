/** How the table `events` cuts time (schemas/clickhouse/0006_fine_events.sql), for conditions that its key understands. */

/** Nanoseconds. */
export const sliceLength = 300_000_000_000n;
export const minuteLength = 60_000_000_000n;

/** As the key has it, character for character. Division rounds to zero, which keeps the order of times. */
export const sliceSql = `intDiv(toUnixTimestamp64Nano(timestamp), ${sliceLength})`;
/** As the projection minute_counts has it. */
export const minuteSql = `intDiv(toUnixTimestamp64Nano(timestamp), ${minuteLength})`;
