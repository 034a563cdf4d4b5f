-- Purpose: views and clicks of elements over the day. One row per hour and element. Input: events of the days.
select
    toDate(created_at) as date,
    toStartOfHour(created_at, 'UTC') as hour,
    element_id,
    countIf(type = 'view') as views_state,
    countIf(type = 'click') as clicks_state
from events
where toDate(created_at) in {days:Array(Date)}
group by
    date,
    hour,
    element_id
