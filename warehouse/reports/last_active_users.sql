-- Purpose: how many people came lately. One row per day, the last days first. Input: daily_active_users.
select
    date,
    dau,
    wau,
    mau
from daily_active_users
order by date desc
limit {limit:UInt32}
