-- Purpose: clicks on pages of several sites with the same path are told apart on the heatmap. A mart that is made
-- again is empty until it is rebuilt, which `clickstream.etl.upgrade` does before it records this migration.

drop table if exists click_position_days;
drop table if exists click_position_days_staging;

-- One row per day, site, page, element, type of device and square of 20 pixels. Key: the page first, since a heatmap
-- shows one.
create table if not exists click_position_days
(
    date Date comment 'Day (UTC) of created_at',
    url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent',
    url_path LowCardinality(String) comment 'Path of the page',
    element_id LowCardinality(String) comment 'CSS identifier of the element',
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    x_bin UInt32 comment 'Left edge of the square in pixels',
    y_bin UInt32 comment 'Upper edge of the square in pixels',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks'
)
engine = AggregatingMergeTree
partition by date
order by (url_path, url_host, element_id, device_type, x_bin, y_bin)
comment 'Clicks by position, one row per day, site, page, element, type of device and square of 20 pixels';

create table if not exists click_position_days_staging as click_position_days comment 'Days of click_position_days in the making';
