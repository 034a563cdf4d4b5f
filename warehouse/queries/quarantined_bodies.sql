-- Purpose: the texts of all invalid events. One row per invalid event. Input: quarantined_events.
select body
from quarantined_events final
