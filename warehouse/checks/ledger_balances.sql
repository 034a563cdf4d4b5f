-- Purpose: for each source and day of receipt, received = stored + duplicate + quarantined + pending.
-- One row per source and day that does not balance. Input: ledger.
select
    source,
    date,
    received,
    stored,
    duplicate,
    quarantined,
    pending
from ledger
where received != stored + duplicate + quarantined + pending
