-- Purpose: what events with a value of an own field did, such as the variant of a test.
-- One row per day, own field and value. Input: own_field_days.
create or replace view own_fields
(
    date Date comment 'Day (UTC)',
    field String comment 'Name of the field in the payload; (other) for fields beyond the limit of a day',
    value String comment 'Value as text; (other) for values beyond the limit of a field',
    views UInt64 comment 'Views of pages and elements with the value',
    clicks UInt64 comment 'Clicks on elements with the value',
    conversion_percent Nullable(Float64) comment 'Clicks per 100 views; null without views',
    sessions UInt64 comment 'Distinct sessions with the value',
    sessions_viewed UInt64 comment 'Distinct sessions that saw an element with the value',
    sessions_clicked UInt64 comment 'Distinct sessions that clicked on an element with the value',
    values_found UInt64 comment 'Distinct values that the field had on the day, shown or not; 0 for the field (other)',
    page_views UInt64 comment 'Those of the views that are of a page itself, the element html',
    element_views UInt64 comment 'The other views: how often elements were seen with the value'
)
as
select
    date,
    field,
    value,
    sumIf(views_state, element_id = '') as views,
    sumIf(clicks_state, element_id = '') as clicks,
    100 * clicks / nullIf(views, 0) as conversion_percent,
    sumIf(sessions_state, element_id = '') as sessions,
    sumIf(sessions_viewed_state, element_id = '') as sessions_viewed,
    sumIf(sessions_clicked_state, element_id = '') as sessions_clicked,
    max(values_found_state) as values_found,
    sumIf(views_state, element_id = 'html') as page_views,
    views - page_views as element_views
from own_field_days
where element_id in ('', 'html')
group by
    date,
    field,
    value
