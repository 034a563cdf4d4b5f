-- Purpose: the invalid events that a filter keeps. One row per invalid event.
-- Input: quarantined_events. Every text is empty for all: code, field, source, a part of the body, session, and the
-- origin, which for a file may be its beginning (csv/ and the first digits of the hash). The receipt lies from the
-- first time, included, to the end, not included; both in milliseconds since 1970. Open events are those that were
-- not sent again; what was sent again and refused once more is an open event of its own, which is also found by the
-- origin that it had at first. The line is that of a file, or the offset of a partition, at which an event was first
-- received; negative for all.
create or replace view quarantined_of
as
select
    source,
    origin,
    offset,
    item,
    original,
    received_at,
    body,
    reasons,
    errors,
    quarantined_at,
    replayed_at
from quarantined_events final
where received_at >= fromUnixTimestamp64Milli({since_ms:Int64}, 'UTC')
    and received_at < fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    and ({code:String} = '' or has(reasons, {code:String}))
    and ({field:String} = '' or arrayExists(one -> one.field = {field:String}, errors))
    and ({source:String} = '' or source = {source:String})
    and (
        {origin:String} = ''
        or origin = {origin:String}
        or startsWith(original, concat({origin:String}, ':'))
        or (
            startsWith({origin:String}, 'csv/')
            and (startsWith(origin, {origin:String}) or startsWith(original, {origin:String}))
        )
    )
    and ({text:String} = '' or positionCaseInsensitiveUTF8(body, {text:String}) > 0)
    and (
        {session:String} = ''
        or (position(body, {session:String}) > 0 and JSONExtractString(body, 'session_id') = {session:String})
    )
    and (
        {line:Int64} < 0
        or {line:Int64} = if(
            original = '' or origin = {origin:String}, offset, toUInt64OrZero(splitByChar(':', original)[-2])
        )
    )
    and ({include_replayed:UInt8} = 1 or replayed_at is null)
