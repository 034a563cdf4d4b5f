-- Purpose: what is wrong, and how often. One row per error code; an event with two codes counts under both.
-- Input: quarantined_of with its parameters.
select
    code,
    count() as events
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
array join reasons as code
group by code
order by
    events desc,
    code
