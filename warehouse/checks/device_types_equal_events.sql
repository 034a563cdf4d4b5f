-- Purpose: the view device_types is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: device_types, events.
select
    date,
    device_type,
    events,
    sessions,
    users,
    sum(of_view) as side
from
(
    select
        date,
        device_type,
        events,
        sessions,
        users,
        1 as of_view
    from device_types
    union all
    select
        toDate(created_at) as date,
        device_type,
        count() as events,
        uniqExact(session_id) as sessions,
        uniqExact(user_id) as users,
        -1 as of_view
    from events
    where not is_bot
    group by
        date,
        device_type
)
group by
    date,
    device_type,
    events,
    sessions,
    users
having side != 0
