-- What a customer's own ClickHouse has: the tables of this folder's parent as they are after its migrations, which say why each
-- is so. {table:x} is x, or on a cluster the x_local beneath it; {engine:X} is X, or its replicated kind; {on_cluster} is the
-- clause for DDL. A statement behind "cluster only" stands for the whole on a cluster: what we read and write has one name.
CREATE TABLE IF NOT EXISTS {database}.{table:events}{on_cluster}
(
    tenant LowCardinality(String),
    source LowCardinality(String),
    timestamp DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    expires_on Date,
    level UInt8,
    service LowCardinality(String),
    host LowCardinality(String),
    message String CODEC(ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    attribute_types LowCardinality(String),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    topic LowCardinality(String),
    partition UInt16,
    offset UInt64 CODEC(Delta, ZSTD(1)),
    idx UInt32 CODEC(Delta, ZSTD(1)),
    inserted_at DateTime('UTC') CODEC(Delta, ZSTD(1)),
    INDEX message_words lower(message) TYPE text(tokenizer = 'splitByNonAlpha', posting_list_codec = 'bitpacking'),
    INDEX trace_ids trace_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX attribute_keys mapKeys(attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX attribute_values mapValues(attributes) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX offsets offset TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX insert_times inserted_at TYPE minmax GRANULARITY 1,
    PROJECTION minute_counts
    (
        SELECT tenant, source, service, level, intDiv(toUnixTimestamp64Nano(timestamp), 60000000000), count()
        GROUP BY tenant, source, service, level, intDiv(toUnixTimestamp64Nano(timestamp), 60000000000)
    )
)
ENGINE = {engine:MergeTree}
PARTITION BY expires_on
ORDER BY (tenant, intDiv(toUnixTimestamp64Nano(timestamp), 300000000000), service, timestamp)
SETTINGS index_granularity = 256, string_serialization_version = 'single_stream', min_compress_block_size = 4096, max_compress_block_size = 65536,
    lightweight_mutation_projection_mode = 'rebuild', deduplicate_merge_projection_mode = 'rebuild',
    fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS {database}.{table:batches}{on_cluster}
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
    bytes UInt64 DEFAULT 0 CODEC(ZSTD(1)),
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
ENGINE = {engine:ReplacingMergeTree}
PARTITION BY toYYYYMM(inserted_at)
ORDER BY (topic, partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS {database}.{table:dead_letters}{on_cluster}
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
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (topic, partition, offset, `index`)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS {database}.{table:sink_claims}{on_cluster}
(
    clean_topic LowCardinality(String),
    clean_partition UInt16,
    epoch UInt64,
    token String,
    claimed_at DateTime('UTC') DEFAULT now()
)
ENGINE = {engine:MergeTree}
ORDER BY (clean_topic, clean_partition, epoch, token)
TTL claimed_at + INTERVAL 90 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS {database}.{table:removals}{on_cluster}
(
    tenant LowCardinality(String),
    removal LowCardinality(String),
    source LowCardinality(String),
    topic LowCardinality(String),
    partition UInt16,
    offset UInt64 CODEC(Delta, ZSTD(1)),
    received_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1)),
    indexes AggregateFunction(groupBitmap, UInt32),
    at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(1))
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (tenant, removal, source, topic, partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- cluster only
CREATE TABLE IF NOT EXISTS {database}.events{on_cluster} AS {database}.events_local
ENGINE = Distributed({cluster}, '{database}', 'events_local', cityHash64(topic, partition, offset));

-- cluster only
CREATE TABLE IF NOT EXISTS {database}.batches{on_cluster} AS {database}.batches_local
ENGINE = Distributed({cluster}, '{database}', 'batches_local', cityHash64(topic, partition, offset));

-- cluster only
CREATE TABLE IF NOT EXISTS {database}.dead_letters{on_cluster} AS {database}.dead_letters_local
ENGINE = Distributed({cluster}, '{database}', 'dead_letters_local', cityHash64(topic, partition, offset));

-- cluster only
CREATE TABLE IF NOT EXISTS {database}.sink_claims{on_cluster} AS {database}.sink_claims_local
ENGINE = Distributed({cluster}, '{database}', 'sink_claims_local', cityHash64(clean_topic, clean_partition));

-- cluster only
CREATE TABLE IF NOT EXISTS {database}.removals{on_cluster} AS {database}.removals_local
ENGINE = Distributed({cluster}, '{database}', 'removals_local', cityHash64(topic, partition, offset));
