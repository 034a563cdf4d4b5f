-- Purpose: how many statements run right now, this one left out. One row. Input: system.processes.
select toInt64(count()) - 1 as queries
from system.processes
