-- Purpose: how long users stay. One row per day on which sessions started. Input: session_durations_of.
select
    date,
    sessions,
    average_seconds,
    median_seconds,
    single_event_sessions
from session_durations_of(sites = [], device_types = [], countries = [])
