-- Purpose: how many events some days have. One row per day that has some. Input: events.
select
    toDate(created_at) as date,
    count() as events
from events
where toDate(created_at) in {days:Array(Date)}
group by date
