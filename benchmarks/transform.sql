-- Baseline of raw → events → marts: typed events from the texts, then one aggregation for each mart.
create table typed
(
    id UInt64,
    type LowCardinality(String),
    created_at DateTime64(3, 'UTC'),
    session_id String,
    ip String,
    user_id UInt64,
    url String,
    url_path String,
    referrer String,
    device_type LowCardinality(String),
    user_agent LowCardinality(String),
    event_title LowCardinality(String),
    element_id LowCardinality(String),
    x Nullable(UInt32),
    y Nullable(UInt32),
    payload JSON
)
engine = MergeTree
partition by toYYYYMM(created_at)
order by id;

insert into typed
select
    toUInt64OrZero(id) as id,
    type,
    parseDateTime64BestEffort(created_at, 3, 'UTC') as created_at,
    session_id,
    ip,
    toUInt64OrZero(user_id) as user_id,
    url,
    path(url) as url_path,
    referrer,
    device_type,
    user_agent,
    JSONExtractString(payload, 'event_title') as event_title,
    JSONExtractString(payload, 'element_id') as element_id,
    JSONExtract(payload, 'x', 'Nullable(UInt32)') as x,
    JSONExtract(payload, 'y', 'Nullable(UInt32)') as y,
    payload
from texts
where type in ('view', 'click')
    and parseDateTime64BestEffortOrNull(created_at, 3, 'UTC') between '1970-01-01' and now()
    and isValidJSON(payload)
    and JSONType(payload) = 'Object'
settings
    max_partitions_per_insert_block = 0,
    prefer_column_name_to_alias = 1;

create table element_days engine = MergeTree order by tuple() as
select
    toDate(created_at) as date,
    url_path,
    element_id,
    event_title,
    countIf(type = 'view') as views,
    countIf(type = 'click') as clicks,
    uniqExactIf(session_id, type = 'view') as sessions_viewed,
    uniqExactIf(session_id, type = 'click') as sessions_clicked
from typed
group by
    date,
    url_path,
    element_id,
    event_title;

create table session_days engine = MergeTree order by tuple() as
select
    session_id,
    min(created_at) as first_at,
    max(created_at) as last_at,
    count() as events
from typed
group by session_id;

create table page_days engine = MergeTree order by tuple() as
select
    toDate(created_at) as date,
    url_path,
    count() as events,
    uniqExact(user_id) as users,
    uniqExact(session_id) as sessions
from typed
group by
    date,
    url_path;

create table daily_users engine = MergeTree order by tuple() as
select
    toDate(created_at) as date,
    groupUniqArray(user_id) as users
from typed
group by date
