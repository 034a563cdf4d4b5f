-- Purpose: how late events arrive.
-- One row per day of receipt, source and class of lateness. Input: arrival_days.
create or replace view lateness
(
    received_date Date comment 'Day (UTC) of the receipt',
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    lateness String comment 'Time from the event to its receipt, in five classes',
    events UInt64 comment 'Distinct valid events'
)
as
select
    received_date,
    source,
    lateness,
    sum(events_state) as events
from arrival_days
group by
    received_date,
    source,
    lateness
