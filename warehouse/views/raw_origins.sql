-- Purpose: what can be processed, and how far the loaders have come.
-- One row per origin and source. Inputs: the projection of raw_events.
create or replace view raw_origins
(
    origin String comment 'What events were read from: csv/<sha256 of the file>, <topic>/<partition>, or a replay',
    source String comment 'How they arrived: csv, http, tracker, broker or replay',
    last_offset UInt64 comment 'Last offset that is stored',
    rows UInt64 comment 'Received events'
)
as select
    origin,
    source,
    max(offset) as last_offset,
    count() as rows
from raw_events
group by
    origin,
    source
