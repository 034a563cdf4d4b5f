-- Purpose: invalid events in the order of their receipt. One row per invalid event.
-- Sorts on disk past a bound, so that the memory of the engine stays flat.
-- Input: quarantined_of with its parameters.
select
    source,
    origin,
    offset,
    item,
    original,
    received_at,
    body,
    reasons,
    errors,
    quarantined_at,
    replayed_at
from quarantined_of(
    since_ms = {since_ms:Int64},
    until_ms = {until_ms:Int64},
    code = {code:String},
    field = {field:String},
    source = {source:String},
    origin = {origin:String},
    text = {text:String},
    session = {session:String},
    line = {line:Int64},
    include_replayed = {include_replayed:UInt8}
)
order by
    received_at,
    origin,
    offset,
    item
settings
    max_bytes_before_external_sort = 268435456,
    max_bytes_ratio_before_external_sort = 0
