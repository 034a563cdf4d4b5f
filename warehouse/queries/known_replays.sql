-- Purpose: which quarantined rows were sent again. One row per replay of one of them. Input: raw_events.
select replay_of
from raw_events
where origin = 'replay'
    and replay_of in {names:Array(String)}
