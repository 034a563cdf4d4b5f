-- Purpose: an event that was replayed and refused again is still found by the file or partition that it came from.

alter table quarantined_events add column if not exists original String default '' comment 'For a replay the coordinate origin:offset:item under which the event was first received, else empty' codec(ZSTD(1)) after item;
