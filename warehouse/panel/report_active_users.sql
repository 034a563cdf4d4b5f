-- Purpose: active users by day. One row per day. Input: daily_active_users; first and last day.
select
    date,
    dau,
    wau,
    mau
from daily_active_users
where date between {first_date:Date} and {last_date:Date}
order by date
