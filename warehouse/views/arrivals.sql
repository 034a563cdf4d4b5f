-- Purpose: which way events come in, by the day on which they happened.
-- One row per day and source. Input: arrival_days.
create or replace view arrivals
(
    date Date comment 'Day (UTC) on which the events happened',
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    events UInt64 comment 'Distinct valid events'
)
as
select
    date,
    source,
    sum(events_state) as events
from arrival_days
group by
    date,
    source
