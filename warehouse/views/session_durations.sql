-- Purpose: how long users stay. One row per day on which sessions started. Input: session_days.
--
-- A session lasts from its first event to its last, whatever days are between them. It counts on the day of the
-- first. Computed from whole milliseconds.
create or replace view session_durations
(
    date Date comment 'Day (UTC) of the start of the sessions',
    sessions UInt64 comment 'Sessions that started',
    average_seconds Nullable(Float64) comment 'Average duration of those with two events or more; null if there are none',
    median_seconds Nullable(Float64) comment 'Median duration of those with two events or more, of the middle two where their number is even; null if there are none',
    single_event_sessions UInt64 comment 'Sessions with a single event, which have no duration'
)
as
with
    session_spans as
    (
        select
            toUnixTimestamp64Milli(min(first_at_state)) as first_ms,
            toUnixTimestamp64Milli(max(last_at_state)) - first_ms as duration_ms,
            sum(events_state) > 1 as has_duration
        from session_days
        group by session_hash
    )
select
    toDate(intDiv(first_ms, 86400000)) as date,
    count() as sessions,
    sumIf(duration_ms, has_duration) / nullIf(countIf(has_duration), 0) / 1000 as average_seconds,
    if(
        countIf(has_duration) > 0,
        (quantileExactLowIf(0.5)(duration_ms, has_duration) + quantileExactHighIf(0.5)(duration_ms, has_duration)) / 2 / 1000,
        null
    ) as median_seconds,
    countIf(not has_duration) as single_event_sessions
from session_spans
group by date
