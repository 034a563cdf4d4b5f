-- Purpose: whether the numbers can be trusted, and up to when.
-- One row: the state of now; none before anything was received.
-- Inputs: raw_events, events, duplicate_events, quarantined_events, pending_origins, active_user_days.
--
-- Each number is counted from a table of its own, as in ledger. While process_events runs, what it has stored already
-- is still pending too; it counts once here. Planning is most of what this view costs, so what is needed at several
-- places is read once: pending_origins as two arrays, and counts of whole tables, which the engine knows.
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
    unaccounted Int64 comment 'Received less stored, duplicate, quarantined and pending; 0 unless something was lost or counted twice'
)
as
with
    (select (groupArray(origin), groupArray(next_offset)) from pending_origins) as waiting,
    (
        select (count(), minOrNull(received_at))
        from raw_events
        where origin in waiting.1
            and offset >= arrayMin(waiting.2)
            and offset >= transform(origin, waiting.1, waiting.2, 0)
    ) as unprocessed,
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
    (
        select count()
        from settled
        where origin in waiting.1
            and offset >= arrayMin(waiting.2)
            and offset >= transform(origin, waiting.1, waiting.2, 0)
    ) as in_work
select
    ifNull(unprocessed.2, last_received_at) as complete_through,
    (select max(received_at) from raw_events) as last_received_at,
    (select maxOrNull(date) from active_user_days) as last_event_date,
    (select count() from raw_events) as received,
    (select count() from events) as stored,
    (select count() from duplicate_events) as duplicate,
    (select count() from quarantined_events final) as quarantined,
    unprocessed.1 as pending,
    toInt64(received) - toInt64(stored) - toInt64(duplicate) - toInt64(quarantined) - toInt64(pending)
        + toInt64(in_work) as unaccounted
where received > 0
