-- Purpose: what is wrong with the events that are not valid.
-- One row per day of receipt, source and error code; an event with two codes counts under both. Input: quarantined_events.
create or replace view quarantined_by_code
(
    date Date comment 'Day (UTC) of the receipt',
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    code String comment 'Error code, as in the reference',
    events UInt64 comment 'Quarantined events with this code',
    open UInt64 comment 'Of these, events that nobody has sent again',
    replayed UInt64 comment 'Of these, events that were sent again; one that was refused once more is open as a replay'
)
as
select
    toDate(received_at) as date,
    source,
    arrayJoin(reasons) as code,
    count() as events,
    countIf(isNull(replayed_at)) as open,
    countIf(isNotNull(replayed_at)) as replayed
from quarantined_events final
group by
    date,
    source,
    code
