-- The ledger: one row per Kafka record that the receiver acknowledged. accepted = stored + the sum of dropped. It is the
-- usage meter and what a receipt is answered from.
--
-- A row says that every event of the record is in `events`. The sink's recovery rests on two things here: an insert of
-- rows is one part, so it happens whole or not at all (the partition is taken from inserted_at, which is the same for
-- all rows of an insert), and rows of one clean partition are written in its order.
CREATE TABLE IF NOT EXISTS {database}.batches
(
    topic LowCardinality(String),
    partition UInt16,
    offset UInt64 CODEC(Delta, ZSTD(1)),
    tenant LowCardinality(String),
    source LowCardinality(String),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    minute DateTime('UTC') MATERIALIZED toStartOfMinute(received_at) CODEC(Delta, ZSTD(1)),
    protocol LowCardinality(String),
    dedup_id String CODEC(ZSTD(1)),
    accepted UInt32 CODEC(ZSTD(1)),
    stored UInt32 CODEC(ZSTD(1)),
    dropped Map(LowCardinality(String), UInt32),
    redactions Map(LowCardinality(String), UInt32),
    ruleset LowCardinality(String),
    clean_topic LowCardinality(String),
    clean_partition UInt16,
    clean_offset UInt64 CODEC(Delta, ZSTD(1)),
    inserted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX dedup_ids dedup_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX receive_times received_at TYPE minmax GRANULARITY 1,
    INDEX insert_times inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(inserted_at)
ORDER BY (topic, partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
