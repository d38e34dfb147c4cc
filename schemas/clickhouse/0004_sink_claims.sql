-- Which sink may insert for a partition of events.clean: the token of the highest (epoch, token). Each insert names its
-- token and is refused when another one has been written since, so a sink that was frozen and comes back, or a request
-- that was held up on its way, can write nothing. Losing a row is harmless: the owner claims anew.
CREATE TABLE IF NOT EXISTS {database}.sink_claims
(
    clean_topic LowCardinality(String),
    clean_partition UInt16,
    epoch UInt64,
    token String,
    claimed_at DateTime('UTC') DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (clean_topic, clean_partition, epoch, token)
TTL claimed_at + INTERVAL 90 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
