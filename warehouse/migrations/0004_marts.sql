-- Purpose: the marts; what fills each lies in warehouse/marts, what finishes it in warehouse/views.
--
-- All are of one make. Engine: AggregatingMergeTree; a column that ends in _state is mergeable, so rows of the
-- same key on several shards become one in a view. Partition: the day, which is rebuilt whole and swapped in.
-- Key: the rest of the grain.
--
-- Distinct users are kept as sets. Distinct sessions are kept as numbers, 20 times smaller and faster: they add
-- up over shards, because events are sharded by session (sipHash64(session_id)), so that no session is on two.

-- One row per day. Key: the day, there is nothing else.
create table if not exists daily_users
(
    date Date comment 'Day (UTC) of created_at',
    users_state AggregateFunction(groupUniqArray, UInt64) comment 'Set of the users with events; finish with groupUniqArrayMerge' codec(ZSTD(1))
)
engine = AggregatingMergeTree
partition by date
order by date
comment 'Who was active, one row per day';

-- One row per day, page, element and event title. Key: the page first, since most filters name one.
create table if not exists element_days
(
    date Date comment 'Day (UTC) of created_at',
    url_path LowCardinality(String) comment 'Path of the page',
    element_id LowCardinality(String) comment 'CSS identifier of the element',
    event_title LowCardinality(String) comment 'Name of the event',
    views_state SimpleAggregateFunction(sum, UInt64) comment 'Views',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks',
    sessions_viewed_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions with a view; add up over shards, not over rows',
    sessions_clicked_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions with a click; add up over shards, not over rows'
)
engine = AggregatingMergeTree
partition by date
order by (url_path, element_id, event_title)
comment 'Views and clicks of elements, one row per day, page, element and event title';

-- One row per hour and element. Key: the element, then its hours.
create table if not exists element_hours
(
    date Date comment 'Day (UTC) of created_at',
    hour DateTime('UTC') comment 'Start of the hour of created_at',
    element_id LowCardinality(String) comment 'CSS identifier of the element',
    views_state SimpleAggregateFunction(sum, UInt64) comment 'Views',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks'
)
engine = AggregatingMergeTree
partition by date
order by (element_id, hour)
comment 'Views and clicks of elements over the day, one row per hour and element';

-- One row per day and session with events on it. A session over midnight has a row for each of its days, which
-- the view puts together. Key: the hash, 64 bits because putting millions of sessions together takes time; the
-- check session_hashes_are_unique holds that no two sessions share one.
create table if not exists session_days
(
    date Date comment 'Day (UTC) of created_at',
    session_hash UInt64 comment 'sipHash64 of session_id' codec(NONE),
    first_at_state SimpleAggregateFunction(min, DateTime64(3, 'UTC')) comment 'First event of the day',
    last_at_state SimpleAggregateFunction(max, DateTime64(3, 'UTC')) comment 'Last event of the day',
    events_state SimpleAggregateFunction(sum, UInt64) comment 'Events of the day'
)
engine = AggregatingMergeTree
partition by date
order by session_hash
comment 'Beginnings and ends of sessions, one row per day and session';

-- One row per day and type of device. Key: the type.
create table if not exists device_days
(
    date Date comment 'Day (UTC) of created_at',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    events_state SimpleAggregateFunction(sum, UInt64) comment 'Events',
    sessions_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions; add up over shards, not over rows',
    users_state AggregateFunction(uniqExact, UInt64) comment 'Set of the users; finish with uniqExactMerge' codec(ZSTD(1))
)
engine = AggregatingMergeTree
partition by date
order by device_type
comment 'Use of devices, one row per day and type of device';

-- One row per day and page. Key: the page.
create table if not exists page_days
(
    date Date comment 'Day (UTC) of created_at',
    url_path LowCardinality(String) comment 'Path of the page',
    views_state SimpleAggregateFunction(sum, UInt64) comment 'Views',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks',
    users_state AggregateFunction(uniqExact, UInt64) comment 'Set of the users; finish with uniqExactMerge' codec(ZSTD(1)),
    sessions_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions; add up over shards, not over rows'
)
engine = AggregatingMergeTree
partition by date
order by url_path
comment 'Use of pages, one row per day and page';

-- One row per day, page, element and square of 20 pixels that was clicked. Key: the page first, since a
-- heatmap shows one.
create table if not exists click_position_days
(
    date Date comment 'Day (UTC) of created_at',
    url_path LowCardinality(String) comment 'Path of the page',
    element_id LowCardinality(String) comment 'CSS identifier of the element',
    x_bin UInt32 comment 'Left edge of the square in pixels',
    y_bin UInt32 comment 'Upper edge of the square in pixels',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks'
)
engine = AggregatingMergeTree
partition by date
order by (url_path, element_id, x_bin, y_bin)
comment 'Where elements were clicked, one row per day, page, element and square of 20 pixels';

-- Where days are built before they are swapped in; empty but during a rebuild. Each is made as its mart is, which
-- the swap demands: a migration that changes a mart changes its staging table too.
create table if not exists daily_users_staging as daily_users comment 'Days of daily_users in the making';
create table if not exists element_days_staging as element_days comment 'Days of element_days in the making';
create table if not exists element_hours_staging as element_hours comment 'Days of element_hours in the making';
create table if not exists session_days_staging as session_days comment 'Days of session_days in the making';
create table if not exists device_days_staging as device_days comment 'Days of device_days in the making';
create table if not exists page_days_staging as page_days comment 'Days of page_days in the making';
create table if not exists click_position_days_staging as click_position_days comment 'Days of click_position_days in the making';
