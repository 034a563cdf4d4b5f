-- Purpose: people can be erased, the ledger still balances, and they do not come back.

-- One row per received event that was erased: its coordinate and nothing that came from the person.
--
-- Engine: ReplacingMergeTree: an erasure that was killed and is run again may write a row twice. Read it with FINAL.
-- Key: the coordinate. Partition: none, so that the rows of one insert are all there or none of them.
create table if not exists erased_events
(
    source LowCardinality(String) comment 'How it arrived, as in raw_events',
    origin LowCardinality(String) comment 'What it was read from, as in raw_events',
    offset UInt64 comment 'Offset of its record, as in raw_events' codec(Delta, ZSTD(1)),
    item UInt32 comment 'Place in the record, as in raw_events' codec(Delta, ZSTD(1)),
    received_date Date comment 'Day (UTC) of the receipt',
    fate LowCardinality(String) comment 'What it was before: stored, duplicate, quarantined, pending; or late if it came after its person had been erased',
    run_id String comment 'Run that erased it, as in etl_runs',
    erased_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was erased'
)
engine = ReplacingMergeTree
order by (origin, offset, item)
comment 'Coordinates of erased events, one row per received event';

-- One row per person who was erased.
--
-- Engine: ReplacingMergeTree by time. Key: the hash. Partition: none, there are few rows.
create table if not exists erased_users
(
    user_hash String comment 'HMAC-SHA256 of the user id under CLICKSTREAM_PRIVACY__HASH_SECRET, in hex',
    key_id LowCardinality(String) comment 'Identifies the secret without revealing it',
    erased_at DateTime64(3, 'UTC') comment 'When the person was first erased'
)
engine = ReplacingMergeTree
order by user_hash
comment 'Keyed hashes of erased people, one row per person';

-- One row per erasure.
--
-- Engine: ReplacingMergeTree without a version: an erasure is written when it starts and again as it goes on, and
-- the row written last stands. Read it with FINAL. Key: the run. Partition: none, there are few rows.
create table if not exists erasures
(
    run_id String comment 'Run that did it, as in etl_runs',
    user_hash String comment 'Person, as in erased_users',
    started_at DateTime64(3, 'UTC') comment 'When it started',
    finished_at Nullable(DateTime64(3, 'UTC')) comment 'When it ended; null if it did not finish',
    days Array(Date) comment 'Days (UTC) whose marts have to be rebuilt',
    users UInt8 comment 'Rows of users that were found',
    receipt String comment 'What was removed where and how that was verified, as JSON; empty until it ended' codec(ZSTD(1))
)
engine = ReplacingMergeTree
order by run_id
comment 'Erasures of people with their receipts, one row per erasure';

alter table etl_runs add column if not exists erased UInt64 default 0 comment 'Events that were erased because their person had been' after quarantined_by_code;
