-- Purpose: how large the tables are. One row per table with data. Input: system.parts.
select
    table,
    sum(rows) as rows,
    sum(bytes_on_disk) as bytes,
    count() as parts
from system.parts
where database = currentDatabase() and active
group by table
order by table
