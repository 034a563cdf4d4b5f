-- Purpose: under which coordinates some refused replays were first received. One row per replay that is known.
-- Inputs: quarantined_events; the replays by name, origin:offset:item.
select
    concat(origin, ':', toString(offset), ':', toString(item)) as name,
    original
from quarantined_events final
where origin = 'replay'
    and name in {names:Array(String)}
    and original != ''
