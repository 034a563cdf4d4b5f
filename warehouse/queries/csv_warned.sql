-- Purpose: the texts of a CSV file's lines that were stored without some value. One row per line, in their order.
-- Inputs: raw_events, events; the file's origin.
select
    offset as line,
    received_at,
    body
from raw_events
where origin = {origin:String}
    and offset in (
        select offset
        from events
        where source = 'csv'
            and origin = {origin:String}
            and notEmpty(warnings)
    )
order by offset
