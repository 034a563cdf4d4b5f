-- Purpose: how long the users of a segment stay: of some types of device and countries, where an empty list stands
-- for all. Only the events of the segment count, also where a session has others.
-- One row per day on which sessions started. Input: session_days.
--
-- A session lasts from its first event to its last, whatever days are between them. It counts on the day of the
-- first. Computed from whole milliseconds.
create or replace view session_durations_of
as
with
    session_spans as
    (
        select
            toUnixTimestamp64Milli(min(first_at_state)) as first_ms,
            toUnixTimestamp64Milli(max(last_at_state)) - first_ms as duration_ms,
            sum(events_state) > 1 as has_duration
        from session_days
        where (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
            and (empty({countries:Array(String)}) or country in {countries:Array(String)})
        group by session_hash
    )
select
    toDate(intDiv(first_ms, 86400000)) as date,
    count() as sessions,
    sumIf(duration_ms, has_duration) / nullIf(countIf(has_duration), 0) / 1000 as average_seconds,
    if(
        countIf(has_duration) > 0,
        quantileExactInclusiveIf(0.5)(duration_ms, has_duration) / 1000,
        null
    ) as median_seconds,
    countIf(not has_duration) as single_event_sessions
from session_spans
group by date
