-- Purpose: where an id has been seen. One row per coordinate, that of the stored event first; as many as asked for,
-- and in each row how many there are.
-- An event that is stored or known as a duplicate is found by its id. The texts of invalid and of unprocessed
-- events are searched: for the id as the field of a JSON object, or, where the text is no JSON, for its digits if
-- they are too many to be there by chance.
-- Inputs: events, duplicate_events, quarantined_events, the raw rows past etl_progress; the id, its text, a limit.
with
    (select (groupArray(origin), groupArray(offset + 1)) from etl_progress final) as progress,
    pending as
    (
        select
            origin,
            offset,
            item,
            body
        from raw_events
        where origin in (select origin from pending_origins)
            and offset >= (select min(next_offset) from pending_origins)
            and offset >= transform(origin, progress.1, progress.2, 0)
            and position(body, {text:String}) > 0
    ),
    texts as
    (
        select
            origin,
            offset,
            item,
            body
        from pending
        union all
        select
            origin,
            offset,
            item,
            body
        from quarantined_events final
        where position(body, {text:String}) > 0
    ),
    seen as
    (
        select
            origin,
            offset,
            item,
            true as is_stored
        from events
        where id = {id:UInt64}
        union all
        select
            origin,
            offset,
            item,
            false as is_stored
        from duplicate_events
        where id = {id:UInt64}
        union all
        select
            origin,
            offset,
            item,
            false as is_stored
        from texts
        where if(
            isValidJSON(body),
            JSONExtractRaw(body, 'id') in ({text:String}, concat('"', {text:String}, '"')),
            length({text:String}) >= 6 and match(body, concat('(^|[^0-9])', {text:String}, '([^0-9]|$)'))
        )
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
    max(is_stored) desc,
    origin,
    offset,
    item
limit {limit:UInt32}
