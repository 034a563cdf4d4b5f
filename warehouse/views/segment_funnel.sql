-- Purpose: how many events are left on the way from seeing to buying.
-- One row per hour, page, element, event title, type of device, country and step of the funnel.
-- Input: activity_hours.
create or replace view segment_funnel
(
    date Date comment 'Day (UTC)',
    url_path String comment 'Path of the page',
    element_id String comment 'CSS identifier of the element',
    event_title String comment 'Name of the event',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    step String comment 'View, Click or Checkout: all views, all clicks, clicks with the event title checkout',
    events UInt64 comment 'Events that are in the step'
)
as
select
    date,
    url_path,
    element_id,
    event_title,
    device_type,
    country,
    step_events.1 as step,
    step_events.2 as events
from activity_hours
array join
    [
        ('View', views_state),
        ('Click', clicks_state),
        ('Checkout', if(event_title = 'checkout', clicks_state, 0))
    ] as step_events
