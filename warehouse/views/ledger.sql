-- Purpose: what became of all that was received: received = stored + duplicate + quarantined +
-- pending + erased.
-- One row per source and day of receipt.
-- Inputs: raw_events, events, duplicate_events, quarantined_events, erased_events, pending_origins, etl_progress.
--
-- The row of an erased event is gone from raw_events; its coordinate in erased_events says that it was received.
--
-- Each number is counted from a table of its own, so a row that is lost or counted twice on the way shows. While
-- process_events runs, rows are stored but still pending, and the two sides differ.
create or replace view ledger
(
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    date Date comment 'Day (UTC) of the receipt',
    received UInt64 comment 'Events received',
    stored UInt64 comment 'Of these, distinct valid events',
    duplicate UInt64 comment 'Of these, events whose id was already stored',
    quarantined UInt64 comment 'Of these, events that are not valid, replayed ones among them',
    pending UInt64 comment 'Of these, events that are not processed yet',
    erased UInt64 comment 'Of these, events that were erased together with their person',
    open UInt64 comment 'Of the quarantined, events that were not sent again; one that was, and was refused once more, is open as a replay'
)
as
with
    (select (groupArray(origin), groupArray(offset + 1)) from etl_progress final) as progress,
    counts as
    (
        select
            source,
            toDate(received_at) as date,
            count() as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            0 as open
        from raw_events
        group by
            source,
            date
        union all
        select
            source,
            toDate(received_at) as date,
            0 as received,
            count() as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            0 as open
        from events
        group by
            source,
            date
        union all
        select
            source,
            toDate(received_at) as date,
            0 as received,
            0 as stored,
            count() as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            0 as open
        from duplicate_events
        group by
            source,
            date
        union all
        select
            source,
            toDate(received_at) as date,
            0 as received,
            0 as stored,
            0 as duplicate,
            count() as quarantined,
            0 as pending,
            0 as erased,
            countIf(replayed_at is null) as open
        from quarantined_events final
        group by
            source,
            date
        union all
        select
            source,
            toDate(received_at) as date,
            0 as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            count() as pending,
            0 as erased,
            0 as open
        from raw_events
        where origin in (select origin from pending_origins)
            and offset >= (select min(next_offset) from pending_origins)
            and offset >= transform(origin, progress.1, progress.2, 0)
        group by
            source,
            date
        union all
        select
            source,
            received_date as date,
            count() as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            count() as erased,
            0 as open
        from erased_events final
        group by
            source,
            date
    )
select
    counts.source as source,
    counts.date as date,
    sum(counts.received) as received,
    sum(counts.stored) as stored,
    sum(counts.duplicate) as duplicate,
    sum(counts.quarantined) as quarantined,
    sum(counts.pending) as pending,
    sum(counts.erased) as erased,
    sum(counts.open) as open
from counts
group by
    source,
    date
