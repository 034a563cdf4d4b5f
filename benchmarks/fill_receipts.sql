-- Receipts of the benchmark's events in one table, so that the ledger has what to count; bodies are never read.
insert into raw_events (source, origin, offset, item, received_at, body)
select
    source,
    origin,
    offset,
    item,
    received_at,
    '{}' as body
from {table:Identifier}
where offset >= {from:UInt64}
    and offset < {from:UInt64} + {events:UInt64}
