-- Purpose: how many users are active by the day, week and month.
-- One row per day from the first to the last with events. Input: active_users_of.
select
    date,
    dau,
    wau,
    mau
from active_users_of(sites = [], device_types = [], countries = [], first_date = '1970-01-01')
