-- Purpose: the duplicates of a CSV file with what is needed to compare them with the stored events.
-- One row per duplicate past a line, in the order of the lines, at most {limit}. A text is empty where the raw row was
-- deleted.
-- Inputs: duplicate_events, events, raw_events; the file's origin, the line, a limit.
with
    duplicates as
    (
        select
            id,
            offset,
            received_at
        from duplicate_events
        where origin = {origin:String}
            and offset > {after_line:UInt64}
        order by offset
        limit {limit:UInt64}
    ),
    owners as
    (
        select
            id,
            origin,
            offset,
            item,
            received_at
        from events
        where id in (select id from duplicates)
    ),
    sent as
    (
        select
            offset,
            body
        from raw_events
        where origin = {origin:String}
            and offset in (select offset from duplicates)
    ),
    first_sent as
    (
        select
            origin,
            offset,
            item,
            body
        from raw_events
        where origin in (select origin from owners)
            and (origin, offset, item) in (select origin, offset, item from owners)
    )
select
    duplicates.offset as line,
    duplicates.id as id,
    duplicates.received_at as received_at,
    sent.body as body,
    concat(owners.origin, ':', toString(owners.offset), ':', toString(owners.item)) as stored_name,
    owners.received_at as stored_received_at,
    first_sent.body as stored_body
from duplicates
left join owners on owners.id = duplicates.id
left join sent on sent.offset = duplicates.offset
left join first_sent on first_sent.origin = owners.origin
    and first_sent.offset = owners.offset
    and first_sent.item = owners.item
order by line
