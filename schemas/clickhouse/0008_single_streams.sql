-- The same rows again, cheaper to find, chosen by benchmark (2 M events over a day, 2 cores, the same rows copied into each
-- table, before -> after):
--   strings in one stream each, their lengths among them, instead of two streams, and granules of 256 rows: 90 scattered
--     rows take 22 CPU ms instead of 34. 256 rows in two streams save less (39 instead of 45 on a busier machine) and cost
--     0.6 CPU seconds more for a million rows inserted; in one stream inserting costs what it did (4.4 and 4.3), with merges
--     too (5.0 and 4.9), and so does an event's place (73.8 B). 128 rows find no faster.
--   A trace id that is looked for in fewer granules in vain (bloom filter of 0.0005) was not seen in any time.
-- Neither can be altered for rows that are there, so they move; as in 0006, sinks must stand still meanwhile.
CREATE TABLE IF NOT EXISTS {database}.events_finer
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
    -- The server's clock when the insert began: recovery reads only what is younger than the ledger.
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
ENGINE = MergeTree
PARTITION BY expires_on
ORDER BY (tenant, intDiv(toUnixTimestamp64Nano(timestamp), 300000000000), service, timestamp)
SETTINGS index_granularity = 256, string_serialization_version = 'single_stream', min_compress_block_size = 4096, max_compress_block_size = 65536,
    lightweight_mutation_projection_mode = 'rebuild', deduplicate_merge_projection_mode = 'rebuild',
    fsync_after_insert = 1, fsync_part_directory = 1;

-- only while: SELECT 1 AS old FROM system.tables WHERE database = '{database}' AND name = 'events' AND create_table_query LIKE '%index_granularity = 512%'
TRUNCATE TABLE {database}.events_finer;

-- only while: SELECT 1 AS old FROM system.tables WHERE database = '{database}' AND name = 'events' AND create_table_query LIKE '%index_granularity = 512%'
INSERT INTO {database}.events_finer SELECT * FROM {database}.events;

-- only while: SELECT 1 AS old FROM system.tables WHERE database = '{database}' AND name = 'events' AND create_table_query LIKE '%index_granularity = 512%'
EXCHANGE TABLES {database}.events AND {database}.events_finer;

DROP TABLE IF EXISTS {database}.events_finer SYNC;
