-- Purpose: as what some quarantined rows were sent again. One row per replay of one of them.
-- Inputs: raw_events; the rows by name, origin:offset:item.
select
    origin,
    offset,
    item
from raw_events
where source = 'replay'
    and replay_of in {names:Array(String)}
