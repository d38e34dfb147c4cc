-- What was removed: for each record of the ledger the indexes of its events that are gone, and why. A set can be written
-- twice without counting twice, so whoever is killed between writing it and removing the events begins again. With it
-- stored = there + removed can be asked for each record. No content is here, so it is kept as long as the ledger.
-- removal: expired:<day of UTC> or the deletion's id.
CREATE TABLE IF NOT EXISTS {database}.removals
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
ENGINE = AggregatingMergeTree
ORDER BY (tenant, removal, source, topic, partition, offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- One row for each look at a place: tenant is '' for what holds for all, or names whose events were removed.
-- overdue: what is past its time and still there after removal; 0 is the proof. held: past its time and on hold.
CREATE TABLE IF NOT EXISTS {database}.sweeps
(
    sweep String,
    tenant LowCardinality(String),
    place LowCardinality(String),
    looked UInt64,
    removed UInt64,
    overdue UInt64,
    held UInt64,
    detail String,
    began_at DateTime64(3, 'UTC'),
    ended_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, began_at, place)
TTL toDateTime(began_at) + INTERVAL 400 DAY
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How far a deletion is in each place; of one place the latest row counts. found: what a look after removal has found.
CREATE TABLE IF NOT EXISTS {database}.deletion_steps
(
    tenant LowCardinality(String),
    deletion String,
    place LowCardinality(String),
    state LowCardinality(String),
    removed UInt64,
    found UInt64,
    detail String,
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (tenant, deletion, place)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
