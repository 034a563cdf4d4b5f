-- Purpose: who was active, for any segment and span of days.
-- One row per day, site, type of device and country. Input: daily_users.
create or replace view segment_users
(
    date Date comment 'Day (UTC)',
    url_host String comment 'Host of the page; (no host) if only a path was sent',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    users_state Array(UInt64) comment 'Set of the users with events; uniqExactArray(users_state) is their number'
)
as
select
    date,
    if(daily_users.url_host = '', '(no host)', daily_users.url_host) as url_host,
    device_type,
    country,
    users_state
from daily_users
