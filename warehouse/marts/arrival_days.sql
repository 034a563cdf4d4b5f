-- Purpose: how late events arrive. One row per day, source, day of receipt and class of lateness.
-- Input: events of the days.
select
    toDate(created_at) as date,
    source,
    toDate(received_at) as received_date,
    multiIf(
        received_at < addMinutes(created_at, 1), '1. within a minute',
        received_at < addHours(created_at, 1), '2. within an hour',
        received_at < addDays(created_at, 1), '3. within a day',
        received_at < addDays(created_at, 7), '4. within a week',
        '5. later'
    ) as lateness,
    count() as events_state
from events
where toDate(created_at) in {days:Array(Date)}
group by
    date,
    source,
    received_date,
    lateness
