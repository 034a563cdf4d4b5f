-- Purpose: how many users are active. One row per day, the latest first, at most 31.
-- Input: daily_active_users.
select
    date,
    dau,
    wau,
    mau
from daily_active_users
order by date desc
limit 31
