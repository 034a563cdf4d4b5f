-- Purpose: how the last hours went, while there are not yet enough days to compare.
-- One row per source and hour of receipt, for the 72 hours that end with the latest receipt. Hours without
-- receipts are there, too, so that a chart draws each hour as one hour.
-- Inputs: raw_events, duplicate_events, quarantined_events.
create or replace view recent_receipts
(
    hour DateTime64(3, 'UTC') comment 'Start of the hour (UTC) of the receipt',
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    received UInt64 comment 'Events received',
    duplicate UInt64 comment 'Of these, events whose id was already stored',
    quarantined UInt64 comment 'Of these, events that are not valid, replayed ones among them'
)
as
with
    (select toStartOfHour(max(received_at)) - interval 71 hour from raw_events) as first_hour,
    counts as
    (
        select
            source,
            received_at,
            1 as received,
            0 as duplicate,
            0 as quarantined
        from raw_events
        where received_at >= first_hour
        union all
        select
            source,
            received_at,
            0 as received,
            1 as duplicate,
            0 as quarantined
        from duplicate_events
        where received_at >= first_hour
        union all
        select
            source,
            received_at,
            0 as received,
            0 as duplicate,
            1 as quarantined
        from quarantined_events final
        where received_at >= first_hour
        union all
        select
            source,
            arrayJoin(arrayMap(number -> first_hour + interval number hour, range(72))) as received_at,
            0 as received,
            0 as duplicate,
            0 as quarantined
        from
        (
            select distinct source
            from raw_events
            where received_at >= first_hour
        )
    )
select
    toDateTime64(toStartOfHour(counts.received_at), 3, 'UTC') as hour,
    source,
    sum(counts.received) as received,
    sum(counts.duplicate) as duplicate,
    sum(counts.quarantined) as quarantined
from counts
group by
    hour,
    source
