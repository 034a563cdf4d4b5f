-- Purpose: numbers of a segment, such as the users of a country on phones: the marts know the type of device and
-- the country; and how late events arrive. Marts that are made anew are empty until they are rebuilt, which
-- `clickstream.etl.upgrade` does before it records this migration.

-- Users written again are told from new ones, so that the marts of their days can be rebuilt.
alter table users add column if not exists loaded_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was written to this table';
alter table users materialize column loaded_at settings mutations_sync = 1;

drop table if exists daily_users;
drop table if exists daily_users_staging;
drop table if exists element_hours;
drop table if exists element_hours_staging;
drop table if exists session_days;
drop table if exists session_days_staging;
drop table if exists click_position_days;
drop table if exists click_position_days_staging;

-- One row per day, type of device and country. Key: the segment. The set of users is a plain array: it is read
-- twice as fast as a state that is a hash set.
create table if not exists daily_users
(
    date Date comment 'Day (UTC) of created_at',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    country LowCardinality(String) comment 'Country of the user as in users; unknown if the user is not there',
    users_state SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) comment 'Users with events, each once; put together with groupUniqArrayArray' codec(ZSTD(1))
)
engine = AggregatingMergeTree
partition by date
order by (device_type, country)
comment 'Who was active, one row per day, type of device and country';

-- One row per hour, page, element, event title, type of device and country. Key: the page first, since most
-- filters name one; the hour last, so that the rows of an element compress.
create table if not exists activity_hours
(
    date Date comment 'Day (UTC) of created_at',
    hour DateTime('UTC') comment 'Start of the hour of created_at',
    url_path LowCardinality(String) comment 'Path of the page',
    element_id LowCardinality(String) comment 'CSS identifier of the element',
    event_title LowCardinality(String) comment 'Name of the event',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    country LowCardinality(String) comment 'Country of the user as in users; unknown if the user is not there',
    views_state SimpleAggregateFunction(sum, UInt64) comment 'Views',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks'
)
engine = AggregatingMergeTree
partition by date
order by (url_path, element_id, event_title, device_type, country, hour)
comment 'Views and clicks, one row per hour, page, element, event title, type of device and country';

-- One row per day, session, type of device and country with events on it. A session over midnight has a row for
-- each of its days, which the view puts together. Key: the hash, 64 bits because putting millions of sessions
-- together takes time; the check session_hashes_are_unique holds that no two sessions share one.
create table if not exists session_days
(
    date Date comment 'Day (UTC) of created_at',
    session_hash UInt64 comment 'sipHash64 of session_id' codec(NONE),
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    country LowCardinality(String) comment 'Country of the user as in users; unknown if the user is not there',
    first_at_state SimpleAggregateFunction(min, DateTime64(3, 'UTC')) comment 'First event of the day',
    last_at_state SimpleAggregateFunction(max, DateTime64(3, 'UTC')) comment 'Last event of the day',
    events_state SimpleAggregateFunction(sum, UInt64) comment 'Events of the day'
)
engine = AggregatingMergeTree
partition by date
order by (session_hash, device_type, country)
comment 'Beginnings and ends of sessions, one row per day, session, type of device and country';

-- One row per day, page, element, type of device and square of 20 pixels that was clicked. Key: the page first,
-- since a heatmap shows one.
create table if not exists click_position_days
(
    date Date comment 'Day (UTC) of created_at',
    url_path LowCardinality(String) comment 'Path of the page',
    element_id LowCardinality(String) comment 'CSS identifier of the element',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    x_bin UInt32 comment 'Left edge of the square in pixels',
    y_bin UInt32 comment 'Upper edge of the square in pixels',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks'
)
engine = AggregatingMergeTree
partition by date
order by (url_path, element_id, device_type, x_bin, y_bin)
comment 'Where elements were clicked, one row per day, page, element, type of device and square of 20 pixels';

-- One row per day of the events, source, day of receipt and lateness. Key: the rest of the grain.
create table if not exists arrival_days
(
    date Date comment 'Day (UTC) of created_at',
    source LowCardinality(String) comment 'How the events arrived, as in raw_events',
    received_date Date comment 'Day (UTC) of received_at',
    lateness LowCardinality(String) comment 'Time from created_at to received_at, in five classes',
    events_state SimpleAggregateFunction(sum, UInt64) comment 'Events'
)
engine = AggregatingMergeTree
partition by date
order by (source, received_date, lateness)
comment 'How late events arrive, one row per day, source, day of receipt and class of lateness';

create table if not exists daily_users_staging as daily_users comment 'Days of daily_users in the making';
create table if not exists activity_hours_staging as activity_hours comment 'Days of activity_hours in the making';
create table if not exists session_days_staging as session_days comment 'Days of session_days in the making';
create table if not exists click_position_days_staging as click_position_days comment 'Days of click_position_days in the making';
create table if not exists arrival_days_staging as arrival_days comment 'Days of arrival_days in the making';
