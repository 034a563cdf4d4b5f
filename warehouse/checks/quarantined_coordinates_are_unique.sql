-- Purpose: no coordinate is in quarantine twice. One row per coordinate that is. Input: quarantined_events.
select
    origin,
    offset,
    item,
    count() as rows
from quarantined_events final
group by
    origin,
    offset,
    item
having rows > 1
