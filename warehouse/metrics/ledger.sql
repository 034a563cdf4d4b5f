-- Purpose: what became of all that was received. One row per source. Input: ledger.
select
    source,
    sum(received) as received,
    sum(stored) as stored,
    sum(duplicate) as duplicate,
    sum(quarantined) as quarantined,
    sum(pending) as pending,
    sum(erased) as erased
from ledger
group by source
order by source
