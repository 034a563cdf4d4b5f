-- Purpose: which pages are visited, for any segment and span of days.
-- One row per day, site, page, type of device and country. Input: visit_days.
create or replace view segment_visits
(
    date Date comment 'Day (UTC)',
    url_host String comment 'Host of the page; (no host) if only a path was sent',
    url_path String comment 'Path of the page',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    views UInt64 comment 'Views of the page and of its elements',
    clicks UInt64 comment 'Clicks on elements of the page',
    sessions_state Array(UInt64) comment 'Set of the sessions with events; uniqExactArray(sessions_state) is their number',
    page_views UInt64 comment 'Those of the views that are of the page itself: how often it was opened',
    element_views UInt64 comment 'The other views: how often elements of the page were seen'
)
as
select
    date,
    if(visit_days.url_host = '', '(no host)', visit_days.url_host) as url_host,
    url_path,
    device_type,
    country,
    views_state as views,
    clicks_state as clicks,
    sessions_state,
    page_views_state as page_views,
    views_state - page_views_state as element_views
from visit_days
