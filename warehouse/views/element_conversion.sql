-- Purpose: how often elements are clicked where they are seen.
-- One row per day, page, element and event title. Input: element_days.
create or replace view element_conversion
(
    date Date comment 'Day (UTC)',
    url_path String comment 'Path of the page',
    element_id String comment 'CSS identifier of the element',
    event_title String comment 'Name of the event',
    views UInt64 comment 'Views of the element',
    clicks UInt64 comment 'Clicks on the element',
    conversion_percent Nullable(Float64) comment 'Clicks per 100 views; null without views',
    sessions_viewed UInt64 comment 'Distinct sessions that saw the element',
    sessions_clicked UInt64 comment 'Distinct sessions that clicked on the element'
)
as
select
    date,
    url_path,
    element_id,
    event_title,
    sum(views_state) as views,
    sum(clicks_state) as clicks,
    100 * clicks / nullIf(views, 0) as conversion_percent,
    sum(sessions_viewed_state) as sessions_viewed,
    sum(sessions_clicked_state) as sessions_clicked
from element_days
group by
    date,
    url_path,
    element_id,
    event_title
