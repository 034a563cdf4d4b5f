-- Purpose: when the sessions of a segment began and how long they lasted: of some sites, types of device and
-- countries, where an empty list stands for all. Only the events of the segment count, also where a session has others.
-- One row per session. Input: session_days.
--
-- A session lasts from its first event to its last, whatever days are between them. In whole milliseconds.
create or replace view session_spans_of
as
select
    toDate(intDiv(toUnixTimestamp64Milli(min(first_at_state)) as first_ms, 86400000)) as date,
    toUnixTimestamp64Milli(max(last_at_state)) - first_ms as duration_ms,
    sum(events_state) > 1 as has_duration
from session_days
where (empty({sites:Array(String)}) or if(url_host = '', '(no host)', url_host) in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by session_hash
