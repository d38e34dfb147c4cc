-- What a quota and a bill count: the bytes of the batch's events as they were stored, encoded and not compressed; 0 for a
-- duplicate, of which nothing is stored. The view is made anew because its columns were those of its first day.
ALTER TABLE {database}.batches ADD COLUMN IF NOT EXISTS bytes UInt64 DEFAULT 0 CODEC(ZSTD(1)) AFTER stored;

CREATE OR REPLACE VIEW {database}.tenant_batches DEFINER = astralog_reader SQL SECURITY DEFINER
    AS SELECT *, minute FROM {database}.batches FINAL;
