-- Purpose: the parts that are out of use but still on disk. One row per part. Input: system.parts.
select
    table,
    name
from system.parts
where database = currentDatabase()
    and not active
