-- Purpose: invalid events whose text may name a person, or that belong to a session of theirs; which do is decided by
-- reading them. One row per such event.
-- A JSON text can hide digits behind escapes that begin as the second text does.
-- Inputs: quarantined_events, events; the user id, the same as text, and a regular expression that finds it as a
-- number of its own.
with sessions as
    (
        select session_id
        from events
        where session_id in (select session_id from events where user_id = {user_id:UInt64})
        group by session_id
        having uniqExact(user_id) = 1
    )
select
    source,
    origin,
    offset,
    item,
    received_at,
    body,
    reasons,
    replayed_at,
    JSONExtractString(body, 'session_id') in (select session_id from sessions) as is_of_session
from quarantined_events final
where (position(body, {text:String}) > 0 and match(body, {pattern:String}))
    or position(body, '\\u003') > 0
    or JSONExtractString(body, 'session_id') in (select session_id from sessions)
