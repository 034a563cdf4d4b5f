-- Purpose: tables with rows that were only marked as deleted and are still on disk. One row per such table.
-- Input: system.parts.
select distinct table
from system.parts
where database = currentDatabase()
    and active
    and has_lightweight_delete
order by table
