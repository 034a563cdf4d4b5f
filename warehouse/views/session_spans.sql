-- Purpose: when sessions began and how long they lasted, so that a whole period has an average and a median.
-- One row per session. Input: session_spans_of.
create or replace view session_spans
(
    date Date comment 'Day (UTC) of the start of the session',
    duration_ms Int64 comment 'Milliseconds from its first event to its last',
    has_duration UInt8 comment '1 if it has two events or more; a single event has no duration'
)
as
select
    date,
    duration_ms,
    has_duration
from session_spans_of(sites = [], device_types = [], countries = [])
