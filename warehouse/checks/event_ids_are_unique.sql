-- Purpose: no id is stored twice. One row per id that is. Input: events.
select
    id,
    count() as rows
from events
group by id
having rows > 1
