-- Purpose: what no day's mart holds by itself, put together from all of them after each rebuild, so that it is not
-- put together again whenever it is looked at.

-- One row per day from the first to the last with events. Key: the day. Small, so it has no partitions.
create table if not exists active_user_days
(
    date Date comment 'Day (UTC)',
    dau UInt64 comment 'Distinct users with events on that day',
    wau UInt64 comment 'Distinct users with events on the 7 days that end with that day',
    mau UInt64 comment 'Distinct users with events on the 30 days that end with that day'
)
engine = MergeTree
order by date
comment 'How many users are active by the day, week and month, one row per day';

-- One row per day on which sessions started. Key: the day. Small, so it has no partitions.
create table if not exists session_start_days
(
    date Date comment 'Day (UTC) of the start of the sessions',
    sessions UInt64 comment 'Sessions that started',
    average_seconds Nullable(Float64) comment 'Average duration of those with two events or more; null if there are none',
    median_seconds Nullable(Float64) comment 'Median duration of those with two events or more, of the middle two where their number is even; null if there are none',
    single_event_sessions UInt64 comment 'Sessions with a single event, which have no duration'
)
engine = MergeTree
order by date
comment 'How long sessions last, one row per day of their start';

create table if not exists active_user_days_staging as active_user_days comment 'active_user_days in the making';
create table if not exists session_start_days_staging as session_start_days comment 'session_start_days in the making';
