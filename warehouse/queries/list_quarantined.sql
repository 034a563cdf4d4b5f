-- Purpose: the invalid events that were received last. One row per invalid event, at most {limit}.
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
    received_at desc,
    origin desc,
    offset desc,
    item desc
limit {limit:UInt64}
