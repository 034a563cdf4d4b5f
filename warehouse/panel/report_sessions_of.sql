-- Purpose: how long the sessions of a segment last. One row per day of their start.
-- Input: session_durations_of; first and last day, sites, types of device and countries; an empty list stands for all.
select
    date,
    sessions,
    average_seconds,
    median_seconds,
    single_event_sessions
from session_durations_of(
    sites = {sites:Array(String)},
    device_types = {device_types:Array(String)},
    countries = {countries:Array(String)}
)
where date between {first_date:Date} and {last_date:Date}
order by date
