-- Purpose: active users of a segment by day. One row per day.
-- Input: active_users_of; first and last day, sites, types of device and countries; an empty list stands for all.
select
    date,
    dau,
    wau,
    mau
from active_users_of(
    sites = {sites:Array(String)},
    device_types = {device_types:Array(String)},
    countries = {countries:Array(String)},
    first_date = {first_date:Date}
)
where date between {first_date:Date} and {last_date:Date}
order by date
