-- Baseline of CSV → raw: the engine reads the file into a table of texts. One row per line.
create table texts
(
    id String,
    type String,
    created_at String,
    session_id String,
    ip String,
    user_id String,
    url String,
    referrer String,
    device_type String,
    user_agent String,
    payload String
)
engine = MergeTree
order by tuple();

insert into texts
select
    id,
    type,
    created_at,
    session_id,
    ip,
    user_id,
    url,
    referrer,
    device_type,
    user_agent,
    payload
from file(
    {path:String},
    'CSVWithNames',
    'id String, type String, created_at String, session_id String, ip String, user_id String, url String, referrer String, device_type String, user_agent String, payload String'
)
settings
    input_format_allow_errors_ratio = 1,
    input_format_allow_errors_num = 1000000000
