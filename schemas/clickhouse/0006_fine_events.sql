-- The same rows in finer granules, chosen by benchmark (2 M events over a day, 2 cores, before -> after):
--   granules of 512 rows, of which a search reads those alone that hold what it looks for: rows read for a word that
--     90 events have 1.2 M -> 92 k, for the count of a phrase in a service 567 k -> 39 k. 256 rows were no faster.
--   blocks that end with their granule (4 KiB at least): 28 ms instead of 37 for 90 scattered rows, for 0.8 B per event.
--   (attributes in buckets by key would answer the top values of one attribute in 46 ms instead of 107, but only where a
--     query names the table itself; through the tenants' view all buckets are read, and scattered rows take a third longer.)
--   minute_counts: counts by minute, service, level and source in 0.13 B per event. It is a projection and not a table
--     beside this one because it lives and dies in the same part as its rows: what the sink's retries make of the rows,
--     they make of the counts.
--   five minutes and minutes counted as numbers: toStartOfFiveMinutes and its like wrap outside 1970 to 2106, so no
--     condition on them could stand beside one on the timestamp, and ClickHouse derives none by itself. With it, the last
--     ten minutes read 16 k rows instead of 115 k.
-- Granularity cannot be altered, so the rows move to a new table. Sinks must stand still meanwhile: what they insert
-- between the copy and the exchange would be lost.
CREATE TABLE IF NOT EXISTS {database}.events_fine
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
SETTINGS index_granularity = 512, min_compress_block_size = 4096, max_compress_block_size = 65536,
    lightweight_mutation_projection_mode = 'rebuild', deduplicate_merge_projection_mode = 'rebuild',
    fsync_after_insert = 1, fsync_part_directory = 1;

-- only while: SELECT 1 AS old FROM system.tables WHERE database = '{database}' AND name = 'events' AND create_table_query LIKE '%index_granularity = 8192%'
TRUNCATE TABLE {database}.events_fine;

-- only while: SELECT 1 AS old FROM system.tables WHERE database = '{database}' AND name = 'events' AND create_table_query LIKE '%index_granularity = 8192%'
INSERT INTO {database}.events_fine SELECT * FROM {database}.events;

-- only while: SELECT 1 AS old FROM system.tables WHERE database = '{database}' AND name = 'events' AND create_table_query LIKE '%index_granularity = 8192%'
EXCHANGE TABLES {database}.events AND {database}.events_fine;

DROP TABLE IF EXISTS {database}.events_fine SYNC;
