-- Purpose: how long the users of a segment stay, by the day on which their sessions began: of some sites, types of
-- device and countries, where an empty list stands for all.
-- One row per day on which sessions started. Input: session_spans_of.
create or replace view session_durations_of
as
select
    date,
    count() as sessions,
    sumIf(duration_ms, has_duration) / nullIf(countIf(has_duration), 0) / 1000 as average_seconds,
    if(
        countIf(has_duration) > 0,
        quantileExactInclusiveIf(0.5)(duration_ms, has_duration) / 1000,
        null
    ) as median_seconds,
    countIf(not has_duration) as single_event_sessions
from session_spans_of(
    sites = {sites:Array(String)},
    device_types = {device_types:Array(String)},
    countries = {countries:Array(String)}
)
group by date
