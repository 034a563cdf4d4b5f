-- Purpose: the view bot_traffic is what plain counting of the events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: bot_traffic, events.
select
    date,
    bot_name,
    events,
    pages,
    sum(of_view) as side
from
(
    select
        date,
        bot_name,
        events,
        pages,
        1 as of_view
    from bot_traffic
    union all
    select
        toDate(created_at) as date,
        bot_name,
        count() as events,
        uniqExact(url_path) as pages,
        -1 as of_view
    from events
    where bot_name != ''
    group by
        date,
        bot_name
)
group by
    date,
    bot_name,
    events,
    pages
having side != 0
