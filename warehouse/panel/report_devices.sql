-- Purpose: which devices are used. One row per day and type of device. Input: device_types; first and last day.
select
    date,
    device_type,
    events,
    sessions,
    users
from device_types
where date between {first_date:Date} and {last_date:Date}
order by
    date,
    device_type
