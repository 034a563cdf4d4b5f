-- Purpose: what is wrong among the refused events that a filter keeps. One row per source, code and field.
-- Input: quarantined_of with its parameters.
select
    source,
    error.code as code,
    error.field as field,
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
array join errors as error
group by
    source,
    code,
    field
order by
    events desc,
    source,
    code,
    field
