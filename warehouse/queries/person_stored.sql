-- Purpose: the stored events of a person. One row per event. Input: events; the user id.
select
    source,
    origin,
    offset,
    item,
    received_at,
    toDate(created_at) as date
from events
where user_id = {user_id:UInt64}
