-- What could not be redacted, decoded or stored. (topic, partition, offset, index) say where it lay; a letter that was
-- written twice is one row after a merge, and under FINAL at once. The payload is AES-256-GCM ciphertext where
-- encryption = 'aes-256-gcm', and the clean Kafka value itself where encryption = 'none' (refused by the storage after
-- redaction).
CREATE TABLE IF NOT EXISTS {database}.dead_letters
(
    topic LowCardinality(String),
    partition UInt16,
    offset UInt64,
    `index` Int32,
    tenant LowCardinality(String),
    source LowCardinality(String),
    reason LowCardinality(String),
    detail String,
    died_at DateTime64(3, 'UTC'),
    payload_bytes UInt32,
    encryption LowCardinality(String),
    payload String CODEC(ZSTD(1)),
    dead_topic LowCardinality(String),
    dead_partition UInt16,
    dead_offset UInt64,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset, `index`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
