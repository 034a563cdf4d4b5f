-- Purpose: parts that were put aside, which no statement rewrites. One row per table that has some.
-- Input: system.detached_parts.
select
    table,
    count() as parts
from system.detached_parts
where database = currentDatabase()
group by table
order by table
