-- Purpose: the view arrivals is what plain counting of the events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: arrivals, events.
select
    date,
    source,
    events,
    sum(of_view) as side
from
(
    select
        date,
        source,
        events,
        1 as of_view
    from arrivals
    union all
    select
        toDate(created_at) as date,
        source,
        count() as events,
        -1 as of_view
    from events
    group by
        date,
        source
)
group by
    date,
    source,
    events
having side != 0
