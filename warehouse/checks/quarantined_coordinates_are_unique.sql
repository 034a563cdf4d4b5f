-- Purpose: a coordinate is in quarantine with one receipt, so that what is written of it last replaces the rest.
-- One row per coordinate that has several. Input: quarantined_events.
select
    origin,
    offset,
    item,
    uniqExact(source, received_at) as receipts
from quarantined_events
group by
    origin,
    offset,
    item
having receipts > 1
