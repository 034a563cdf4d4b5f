-- Purpose: where the events of a session or a user came in. One row per coordinate, the last received first; as many
-- as asked for, and in each row how many there are.
-- A duplicate is found by the id that it shares with a stored event. The texts of invalid and of unprocessed events
-- are searched for the field of a JSON object, as a text or a number.
-- Inputs: events, duplicate_events, quarantined_events, the raw rows past etl_progress; the name of the field,
-- session_id or user_id, its value as text, a limit.
with
    (select (groupArray(origin), groupArray(offset + 1)) from etl_progress final) as progress,
    seen as
    (
        select
            origin,
            offset,
            item,
            received_at
        from events
        where if({field:String} = 'user_id', user_id = toUInt64OrZero({text:String}), session_id = {text:String})
        union all
        select
            origin,
            offset,
            item,
            received_at
        from duplicate_events
        where id in (
            select id
            from events
            where if({field:String} = 'user_id', user_id = toUInt64OrZero({text:String}), session_id = {text:String})
        )
        union all
        select
            origin,
            offset,
            item,
            received_at
        from quarantined_events final
        where position(body, {text:String}) > 0
            and {text:String} in (JSONExtractString(body, {field:String}), JSONExtractRaw(body, {field:String}))
        union all
        select
            origin,
            offset,
            item,
            received_at
        from raw_events
        where origin in (select origin from pending_origins)
            and offset >= (select min(next_offset) from pending_origins)
            and offset >= transform(origin, progress.1, progress.2, 0)
            and position(body, {text:String}) > 0
            and {text:String} in (JSONExtractString(body, {field:String}), JSONExtractRaw(body, {field:String}))
    )
select
    origin,
    offset,
    item,
    count() over () as coordinates
from seen
group by
    origin,
    offset,
    item
order by
    max(received_at) desc,
    origin desc,
    offset desc,
    item desc
limit {limit:UInt32}
