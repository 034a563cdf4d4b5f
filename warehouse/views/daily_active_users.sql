-- Purpose: how many users are active by the day, week and month.
-- One row per day from the first to the last with events. Input: active_user_days.
create or replace view daily_active_users
(
    date Date comment 'Day (UTC)',
    dau UInt64 comment 'Distinct users with events on that day',
    wau UInt64 comment 'Distinct users with events on the 7 days that end with that day',
    mau UInt64 comment 'Distinct users with events on the 30 days that end with that day'
)
as
select
    date,
    dau,
    wau,
    mau
from active_user_days
