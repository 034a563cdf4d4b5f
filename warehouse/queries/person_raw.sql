-- Purpose: raw rows whose text may name a person; which do is decided by reading them. One row per such raw row.
-- A JSON text can hide digits behind escapes that begin as the second text does.
-- Inputs: raw_events; the user id as text, and a regular expression that finds it as a number of its own.
select
    source,
    origin,
    offset,
    item,
    received_at,
    body,
    replay_of
from raw_events
where (position(body, {text:String}) > 0 and match(body, {pattern:String}))
    or position(body, '\\u003') > 0
