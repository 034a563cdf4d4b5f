-- Purpose: the last offset that was ever stored of an origin, also if its row has been erased since.
-- One row: the offset; none if nothing was stored. Inputs: raw_events, erased_events; the origin.
select max(offset) as offset
from
(
    select offset
    from
    (
        select offset
        from raw_events
        where origin = {origin:String}
        order by offset desc
        limit 1
    )
    union all
    select max(offset) as offset
    from erased_events
    where origin = {origin:String}
    having count() > 0
)
having count() > 0
