-- Purpose: how many events an erasure has erased. One row per fate that they had. Inputs: erased_events; the run.
select
    fate,
    count() as events
from erased_events final
where run_id = {run_id:String}
group by fate
