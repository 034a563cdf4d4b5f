-- Purpose: who was active. One row per day. Input: events of the days.
select
    toDate(created_at) as date,
    groupUniqArrayState(user_id) as users_state
from events
where toDate(created_at) in {days:Array(Date)}
group by date
