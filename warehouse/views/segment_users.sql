-- Purpose: who was active, for any segment and span of days.
-- One row per day, type of device and country. Input: daily_users.
create or replace view segment_users
(
    date Date comment 'Day (UTC)',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    users_state Array(UInt64) comment 'Set of the users with events; uniqExactArray(users_state) is their number'
)
as
select
    date,
    device_type,
    country,
    users_state
from daily_users
