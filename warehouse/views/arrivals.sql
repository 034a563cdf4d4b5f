-- Purpose: how late events arrive.
-- One row per day, source, day of receipt and class of lateness. Input: arrival_days.
create or replace view arrivals
(
    date Date comment 'Day (UTC) on which the events happened',
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    received_date Date comment 'Day (UTC) of the receipt',
    lateness String comment 'Time from the event to its receipt, in five classes',
    events UInt64 comment 'Distinct valid events'
)
as
select
    date,
    source,
    received_date,
    lateness,
    events_state as events
from arrival_days
