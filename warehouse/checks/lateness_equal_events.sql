-- Purpose: the view lateness is what plain counting of the events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: lateness, events.
select
    received_date,
    source,
    lateness,
    events,
    sum(of_view) as side
from
(
    select
        received_date,
        source,
        lateness,
        events,
        1 as of_view
    from lateness
    union all
    select
        toDate(received_at) as received_date,
        source,
        arrayElement(
            ['1. within a minute', '2. within an hour', '3. within a day', '4. within a week', '5. later'],
            1 + arrayCount(
                bound_ms -> toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(created_at) >= bound_ms,
                [60000, 3600000, 86400000, 604800000]
            )
        ) as lateness,
        count() as events,
        -1 as of_view
    from events
    group by
        received_date,
        source,
        lateness
)
group by
    received_date,
    source,
    lateness,
    events
having side != 0
