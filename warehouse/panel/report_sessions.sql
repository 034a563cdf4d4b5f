-- Purpose: how long sessions last. One row per day of their start. Input: session_durations; first and last day.
select
    date,
    sessions,
    average_seconds,
    median_seconds,
    single_event_sessions
from session_durations
where date between {first_date:Date} and {last_date:Date}
order by date
