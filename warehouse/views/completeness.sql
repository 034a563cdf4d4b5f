-- Purpose: whether the numbers can be trusted, and up to when.
-- One row: the state of now; none before anything was received.
-- Inputs: ledger, pending_origins, raw_events, events, duplicate_events, quarantined_events, daily_users.
--
-- While process_events runs, what it has stored already is still pending too; it counts once here.
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
    waiting as
    (
        select min(raw_events.received_at) as since
        from raw_events
        inner join pending_origins on pending_origins.origin = raw_events.origin
        where raw_events.origin in (select origin from pending_origins)
            and raw_events.offset >= (select min(next_offset) from pending_origins)
            and raw_events.offset >= pending_origins.next_offset
        having count() > 0
    ),
    settled as
    (
        select
            origin,
            offset
        from events
        where origin in (select origin from pending_origins)
        union all
        select
            origin,
            offset
        from duplicate_events
        where origin in (select origin from pending_origins)
        union all
        select
            origin,
            offset
        from quarantined_events final
        where origin in (select origin from pending_origins)
    ),
    in_work as
    (
        select count() as rows
        from settled
        inner join pending_origins on pending_origins.origin = settled.origin
        where settled.offset >= pending_origins.next_offset
    )
select
    ifNull((select since from waiting), last_received_at) as complete_through,
    (select max(received_at) from raw_events) as last_received_at,
    (select maxOrNull(date) from daily_users) as last_event_date,
    sum(ledger.received) as received,
    sum(ledger.stored) as stored,
    sum(ledger.duplicate) as duplicate,
    sum(ledger.quarantined) as quarantined,
    sum(ledger.pending) as pending,
    toInt64(received) - toInt64(stored) - toInt64(duplicate) - toInt64(quarantined) - toInt64(pending)
        + toInt64((select rows from in_work)) as unaccounted
from ledger
having received > 0
