-- Purpose: how many statements run right now, this one left out. One row. Input: system.metrics, since readers
-- may not see the statements themselves.
select value - 1 as queries
from system.metrics
where metric = 'Query'
