-- Purpose: the view element_activity is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: element_activity, events.
select
    hour,
    element_id,
    views,
    clicks,
    sum(of_view) as side
from
(
    select
        hour,
        element_id,
        views,
        clicks,
        1 as of_view
    from element_activity
    union all
    select
        toDateTime(intDiv(toUnixTimestamp64Milli(created_at), 3600000) * 3600, 'UTC') as hour,
        element_id,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        -1 as of_view
    from events
    where not is_bot
    group by
        hour,
        element_id
)
group by
    hour,
    element_id,
    views,
    clicks
having side != 0
