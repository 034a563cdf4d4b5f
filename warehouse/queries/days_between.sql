-- Purpose: the days from one to another that have events or are in a mart. One row per day.
-- Inputs: events; daily_users, since every mart is built for the same days.
select date
from
(
    select distinct toDate(created_at) as date
    from events
    where toDate(created_at) between {first:Date} and {last:Date}
    union distinct
    select date
    from daily_users
    where date between {first:Date} and {last:Date}
)
order by date
