-- Purpose: the last offset of an origin that was ever given to a row, as far as any table knows: rows may have
-- been deleted from each of them. One row: the offset; null where no table knows the origin.
-- Inputs: raw_events, etl_progress, events, quarantined_events, duplicate_events, erased_events; the origin.
select max(last) as offset
from
(
    select maxOrNull(offset) as last from raw_events where origin = {origin:String}
    union all
    select maxOrNull(offset) from etl_progress where origin = {origin:String}
    union all
    select maxOrNull(offset) from events where origin = {origin:String}
    union all
    select maxOrNull(offset) from quarantined_events where origin = {origin:String}
    union all
    select maxOrNull(offset) from duplicate_events where origin = {origin:String}
    union all
    select maxOrNull(offset) from erased_events where origin = {origin:String}
)
