-- Purpose: several sites in one warehouse are told apart, visits are counted by page, site, device and country, and
-- it is known where they came from. A mart that is made again is empty until it is rebuilt, which
-- `clickstream.etl.upgrade` does before it records this migration.

drop table if exists activity_hours;
drop table if exists activity_hours_staging;

-- One row per hour, site, page, element, event title, type of device and country. Key: the page first, since most
-- filters name one; the hour last, so that the rows of an element compress.
create table if not exists activity_hours
(
    date Date comment 'Day (UTC) of created_at',
    hour DateTime('UTC') comment 'Start of the hour of created_at',
    url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent',
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
order by (url_path, url_host, element_id, event_title, device_type, country, hour)
comment 'Views and clicks, one row per hour, site, page, element, event title, type of device and country';

-- One row per day, site, page, type of device and country. Key: the page first, since most filters name one. The
-- set of sessions is a plain array of hashes, because sessions do not add up over pages and days.
create table if not exists visit_days
(
    date Date comment 'Day (UTC) of created_at',
    url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent',
    url_path LowCardinality(String) comment 'Path of the page',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    country LowCardinality(String) comment 'Country of the user as in users; unknown if the user is not there',
    views_state SimpleAggregateFunction(sum, UInt64) comment 'Views',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks',
    sessions_state SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) comment 'sipHash64 of the sessions with events, each once; put together with groupUniqArrayArray' codec(ZSTD(1))
)
engine = AggregatingMergeTree
partition by date
order by (url_path, url_host, device_type, country)
comment 'Visits of pages, one row per day, site, page, type of device and country';

-- One row per day, origin of the visit, site, type of device and country. Key: the origin. A session counts once a
-- day, with its first event of the day, so that sessions add up over the rows of a day.
create table if not exists visit_source_days
(
    date Date comment 'Day (UTC) of created_at',
    referrer_host LowCardinality(String) comment 'Host of the referrer without www.; (direct) if there is none, (own site) if it is the page''s own',
    utm_source LowCardinality(String) comment 'utm_source of the URL; empty if there is none',
    utm_medium LowCardinality(String) comment 'utm_medium of the URL; empty if there is none',
    utm_campaign LowCardinality(String) comment 'utm_campaign of the URL; empty if there is none',
    url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    country LowCardinality(String) comment 'Country of the user as in users; unknown if the user is not there',
    sessions_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions; add up over rows of a day',
    sessions_clicked_state SimpleAggregateFunction(sum, UInt64) comment 'Those of them with a click on the day',
    events_state SimpleAggregateFunction(sum, UInt64) comment 'Events of these sessions on the day'
)
engine = AggregatingMergeTree
partition by date
order by (referrer_host, utm_source, utm_medium, utm_campaign, url_host, device_type, country)
comment 'Where visits came from, one row per day, origin, site, type of device and country';

create table if not exists activity_hours_staging as activity_hours comment 'Days of activity_hours in the making';
create table if not exists visit_days_staging as visit_days comment 'Days of visit_days in the making';
create table if not exists visit_source_days_staging as visit_source_days comment 'Days of visit_source_days in the making';
