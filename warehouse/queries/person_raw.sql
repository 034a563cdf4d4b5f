-- Purpose: raw rows whose text may name a person; which do is decided by reading them. One row per such raw row.
-- An event whose user_id is plainly another number is left out here, which spares reading most texts.
-- A JSON text can hide digits behind escapes that begin as the second text does.
-- Inputs: raw_events; the user id, the same as text, and a regular expression that finds it as a number of its own.
select
    source,
    origin,
    offset,
    item,
    received_at,
    body,
    replay_of
from raw_events
where
    (
        position(body, {text:String}) > 0
        and match(body, {pattern:String})
        and
        (
            not match(JSONExtractRaw(body, 'user_id'), '^"?[0-9]+"?$')
            or toUInt64OrZero(trim(both '"' from JSONExtractRaw(body, 'user_id'))) = {user_id:UInt64}
        )
    )
    or position(body, '\\u003') > 0
