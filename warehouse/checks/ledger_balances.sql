-- Purpose: for each source and day of receipt, received = stored + duplicate + quarantined + pending +
-- erased.
-- One row per source and day that does not balance. Input: ledger.
select
    source,
    date,
    received,
    stored,
    duplicate,
    quarantined,
    pending,
    erased
from ledger
where received != stored + duplicate + quarantined + pending + erased
