-- Purpose: when elements are seen and clicked. One row per hour and element. Input: activity_hours.
create or replace view element_activity
(
    hour DateTime64(3, 'UTC') comment 'Start of the hour (UTC)',
    element_id String comment 'CSS identifier of the element',
    views UInt64 comment 'Views of the element on all pages',
    clicks UInt64 comment 'Clicks on the element on all pages'
)
as
select
    toDateTime64(activity_hours.hour, 3, 'UTC') as hour,
    element_id,
    sum(views_state) as views,
    sum(clicks_state) as clicks
from activity_hours
group by
    activity_hours.hour,
    element_id
