-- One row per stored event. (topic, partition, offset, idx) are the coordinates that the receiver acknowledged; they
-- make loss and duplication one query. A part holds one day of expiry, so retention is a dropped part.
--
-- Measured on 1 M generated events (371 B as JSON, 30 % with a random request id, half with a random trace id), in
-- inserts of 100,000 rows, Avro, 2 cores: 4.2 to 5.7 CPU seconds per million with all indexes (2.8 to 3.0 without any);
-- 75.4 B per event, of them 17 B the words of the message, 19 B the message, 18 B the attributes, 13 B trace and span.
--   words: 'bitpacking' saves 6.5 B per event against the default; splitting is by everything but ASCII letters and
--     digits, folding is ASCII lower case, so that a predicate in memory can say exactly the same. Queries say
--     hasAllTokens(lower(message), …) themselves: with the index's `preprocessor` instead, a plan that evaluates the
--     function without the index (seen through a view with ORDER BY … LIMIT) would not fold case, and lose rows.
--   attribute values: a text index would take 16 B per event where the bloom filter takes 1.9 B.
--   fsync costs nothing measurable at a few inserts per second, and without it a power cut could keep the ledger's row
--     and lose the events'.
CREATE TABLE IF NOT EXISTS {database}.events
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
    INDEX insert_times inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY expires_on
ORDER BY (tenant, toStartOfFiveMinutes(timestamp), service, timestamp)
SETTINGS index_granularity = 8192, fsync_after_insert = 1, fsync_part_directory = 1;
