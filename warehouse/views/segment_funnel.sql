-- Purpose: how many events are left on the way from seeing to buying.
-- One row per hour, site, page, element, event title, type of device, country and step of the funnel.
-- Input: activity_hours.
create or replace view segment_funnel
(
    date Date comment 'Day (UTC)',
    url_host String comment 'Host of the page; (no host) if only a path was sent',
    url_path String comment 'Path of the page',
    element_id String comment 'CSS identifier of the element',
    event_title String comment 'Name of the event',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    step String comment 'View, Click or Checkout: all views of elements, all clicks, clicks with the event title checkout',
    events UInt64 comment 'Events that are in the step'
)
as
select
    date,
    if(activity_hours.url_host = '', '(no host)', activity_hours.url_host) as url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    'View' as step,
    views_state as events
from activity_hours
where element_id != 'html'
union all
select
    date,
    if(activity_hours.url_host = '', '(no host)', activity_hours.url_host) as url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    'Click' as step,
    clicks_state as events
from activity_hours
union all
select
    date,
    if(activity_hours.url_host = '', '(no host)', activity_hours.url_host) as url_host,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    'Checkout' as step,
    clicks_state as events
from activity_hours
where event_title = 'checkout'
