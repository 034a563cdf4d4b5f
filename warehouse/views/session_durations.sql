-- Purpose: how long users stay. One row per day on which sessions started. Input: session_start_days.
create or replace view session_durations
(
    date Date comment 'Day (UTC) of the start of the sessions',
    sessions UInt64 comment 'Sessions that started',
    average_seconds Nullable(Float64) comment 'Average duration of those with two events or more; null if there are none',
    median_seconds Nullable(Float64) comment 'Median duration of those with two events or more, of the middle two where their number is even; null if there are none',
    single_event_sessions UInt64 comment 'Sessions with a single event, which have no duration'
)
as
select
    date,
    sessions,
    average_seconds,
    median_seconds,
    single_event_sessions
from session_start_days
