-- Purpose: views and clicks by the hour, for any filter.
-- One row per hour, site, page, element, event title, type of device and country. Input: activity_hours.
create or replace view segment_activity
(
    date Date comment 'Day (UTC)',
    hour DateTime64(3, 'UTC') comment 'Start of the hour (UTC)',
    hour_of_day UInt8 comment 'Hour of the day (UTC), 0 to 23',
    url_host String comment 'Host of the page; (no host) if only a path was sent',
    url_path String comment 'Path of the page',
    element_id String comment 'CSS identifier of the element',
    event_title String comment 'Name of the event',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    views UInt64 comment 'Views of pages and elements',
    clicks UInt64 comment 'Clicks on elements',
    page_views UInt64 comment 'Those of the views that are of a page itself, the element html: how often it was opened',
    element_views UInt64 comment 'The other views: how often elements were seen'
)
as
select
    date,
    toDateTime64(activity_hours.hour, 3, 'UTC') as hour,
    toHour(activity_hours.hour) as hour_of_day,
    if(activity_hours.url_host = '', '(no host)', activity_hours.url_host) as url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    views_state as views,
    clicks_state as clicks,
    if(element_id = 'html', views_state, 0) as page_views,
    views_state - page_views as element_views
from activity_hours
