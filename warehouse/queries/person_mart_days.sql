-- Purpose: the days whose marts count a person. One row per day. Input: daily_users; the user id.
select distinct date
from daily_users
where has(users_state, {user_id:UInt64})
order by date
