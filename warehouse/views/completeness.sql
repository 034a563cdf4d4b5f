-- Purpose: whether the numbers can be trusted, and up to when.
-- One row: the state of now; none before anything was received.
-- Inputs: raw_events, events, duplicate_events, quarantined_events, erased_events, pending_origins, etl_progress,
-- active_user_days.
--
-- Each number is counted from a table of its own, as in ledger. While process_events runs, what it has stored already
-- is still pending too; it counts once here.
--
-- All is counted in one select, and grouped, since then all is of one moment while events arrive: a scalar subquery,
-- or the count of a whole table, is of the moment in which the engine comes to it. The progress may be older.
create or replace view completeness
(
    complete_through DateTime64(3, 'UTC') comment 'All that was received before this moment (UTC) is in the numbers',
    last_received_at DateTime64(3, 'UTC') comment 'When the last event was received (UTC)',
    last_event_date Nullable(Date) comment 'Last day (UTC) with events',
    received UInt64 comment 'Events received',
    stored UInt64 comment 'Of these, distinct valid events',
    duplicate UInt64 comment 'Of these, events whose id was already stored',
    quarantined UInt64 comment 'Of these, events that are not valid',
    pending UInt64 comment 'Of these, events that are not processed yet',
    erased UInt64 comment 'Of these, events that were erased together with their person',
    unaccounted Int64 comment 'Received less stored, duplicate, quarantined, pending and erased; 0 unless something was lost or counted twice'
)
as
with
    (select (groupArray(origin), groupArray(offset + 1)) from etl_progress final) as progress,
    settled as
    (
        select
            origin,
            offset
        from events
        union all
        select
            origin,
            offset
        from duplicate_events
        union all
        select
            origin,
            offset
        from quarantined_events final
    ),
    counts as
    (
        select
            count() as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            0 as in_work,
            null as waiting_since
        from raw_events
        group by source
        union all
        select
            0 as received,
            count() as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            0 as in_work,
            null as waiting_since
        from events
        group by source
        union all
        select
            0 as received,
            0 as stored,
            count() as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            0 as in_work,
            null as waiting_since
        from duplicate_events
        group by source
        union all
        select
            0 as received,
            0 as stored,
            0 as duplicate,
            count() as quarantined,
            0 as pending,
            0 as erased,
            0 as in_work,
            null as waiting_since
        from quarantined_events final
        group by source
        union all
        select
            0 as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            count() as pending,
            0 as erased,
            0 as in_work,
            minOrNull(received_at) as waiting_since
        from raw_events
        where origin in (select origin from pending_origins)
            and offset >= (select min(next_offset) from pending_origins)
            and offset >= transform(origin, progress.1, progress.2, 0)
        union all
        select
            count() as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            count() as erased,
            0 as in_work,
            null as waiting_since
        from erased_events final
        group by source
        union all
        select
            0 as received,
            0 as stored,
            0 as duplicate,
            0 as quarantined,
            0 as pending,
            0 as erased,
            count() as in_work,
            null as waiting_since
        from settled
        where origin in (select origin from pending_origins)
            and offset >= (select min(next_offset) from pending_origins)
            and offset >= transform(origin, progress.1, progress.2, 0)
    )
select
    ifNull(min(counts.waiting_since), last_received_at) as complete_through,
    (select max(received_at) from raw_events) as last_received_at,
    (select maxOrNull(date) from active_user_days) as last_event_date,
    sum(counts.received) as received,
    sum(counts.stored) as stored,
    sum(counts.duplicate) as duplicate,
    sum(counts.quarantined) as quarantined,
    sum(counts.pending) as pending,
    sum(counts.erased) as erased,
    toInt64(received) - toInt64(stored) - toInt64(duplicate) - toInt64(quarantined) - toInt64(pending)
        - toInt64(erased) + toInt64(sum(counts.in_work)) as unaccounted
from counts
having received > 0
