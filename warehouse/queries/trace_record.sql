-- Purpose: the raw rows of a record, erased ones among them. One row per coordinate; as many as asked for, and in each
-- row how many there are.
-- Inputs: raw_events, erased_events; origin and offset, the item or -1 for all of the record, a limit.
with seen as
    (
        select
            origin,
            offset,
            item
        from raw_events
        where origin = {origin:String}
            and offset = {offset:UInt64}
            and ({item:Int64} < 0 or item = {item:Int64})
        union distinct
        select
            origin,
            offset,
            item
        from erased_events
        where origin = {origin:String}
            and offset = {offset:UInt64}
            and ({item:Int64} < 0 or item = {item:Int64})
    )
select
    origin,
    offset,
    item,
    count() over () as coordinates
from seen
order by item
limit {limit:UInt32}
