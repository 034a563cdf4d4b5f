-- Purpose: what devices are used. One row per day and type of device. Input: device_days.
create or replace view device_types
(
    date Date comment 'Day (UTC)',
    device_type String comment 'desktop, mobile or tablet',
    events UInt64 comment 'Views and clicks',
    sessions UInt64 comment 'Distinct sessions with events on such a device',
    users UInt64 comment 'Distinct users with events on such a device'
)
as
select
    date,
    device_type,
    sum(events_state) as events,
    sum(sessions_state) as sessions,
    uniqExactMerge(users_state) as users
from device_days
group by
    date,
    device_type
