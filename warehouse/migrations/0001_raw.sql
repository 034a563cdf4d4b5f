-- Purpose: what was received, as it was received, and how far it has been processed.

-- One row per received event: an item of a record of an origin.
--
-- Engine: MergeTree. The same coordinate is stored once because a loader asks for the last offset of its
-- origin before it goes on, and because an insert repeated with its token within the deduplication window is
-- dropped.
-- Key: the coordinate. An origin's rows lie together in the order of their offsets, so the rows past an
-- offset are one range of the key, however much history there is.
-- Partition: none, so that every insert is a single part and either wholly there or not at all, and so that
-- the deduplication of a token holds over midnight as well (it works within a partition).
-- Projection: written in the same part, so it can't disagree with the rows; finds origins with unprocessed
-- rows, and the counts of the ledger, from a few rows a part.
create table if not exists raw_events
(
    source LowCardinality(String) comment 'How it arrived: csv, http, tracker, broker or replay',
    origin LowCardinality(String) comment 'What it was read from: csv/<sha256 of the file>, <topic>/<partition>, or a replay',
    offset UInt64 comment 'Line number or record offset within the origin' codec(Delta, ZSTD(1)),
    item UInt32 comment 'Place in the record, counted from 0' codec(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') comment 'When the system received it' codec(Delta, ZSTD(1)),
    loaded_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was written to this table' codec(Delta, ZSTD(1)),
    body String comment 'The event as received; a CSV line as a JSON object of column name and cell text' codec(ZSTD(1)),
    defect LowCardinality(String) default '' comment 'Error code of a record that could not be read on receipt, else empty',
    replay_of String default '' comment 'For a replay the coordinate origin:offset:item of the quarantined row that it repeats, else empty' codec(ZSTD(1)),
    projection by_origin
    (
        select
            origin,
            source,
            toDate(received_at),
            count(),
            max(offset)
        group by
            origin,
            source,
            toDate(received_at)
    )
)
engine = MergeTree
order by (origin, offset, item)
settings non_replicated_deduplication_window = 10000
comment 'Received events as they came, one row per item of a record';

-- One row per origin.
--
-- Engine: ReplacingMergeTree by offset: progress only grows, and an older offset written again changes nothing.
-- Key: the origin. Partition: none, there are few rows.
create table if not exists etl_progress
(
    origin String comment 'What was read from, as in raw_events',
    offset UInt64 comment 'Last offset of the origin that was processed with all that follows from it',
    updated_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When that was'
)
engine = ReplacingMergeTree(offset)
order by origin
comment 'How far each origin has been processed, one row per origin';
