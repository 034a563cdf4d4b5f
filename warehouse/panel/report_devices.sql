-- Purpose: which devices are used. One row per day and type of device.
-- Input: device_types; first and last day, types of device, where an empty list stands for all.
select
    date,
    device_type,
    events,
    sessions,
    users
from device_types
where date between {first_date:Date} and {last_date:Date}
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
order by
    date,
    device_type
