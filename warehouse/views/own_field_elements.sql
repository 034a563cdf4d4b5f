-- Purpose: how often an element is clicked with each value of an own field.
-- One row per day, own field, value and element. Input: own_field_days.
create or replace view own_field_elements
(
    date Date comment 'Day (UTC)',
    field String comment 'Name of the field in the payload; (other) for fields beyond the limit of a day',
    value String comment 'Value as text; (other) for values beyond the limit of a field',
    element_id String comment 'CSS identifier of the element',
    views UInt64 comment 'Views of the element with the value',
    clicks UInt64 comment 'Clicks on the element with the value',
    conversion_percent Nullable(Float64) comment 'Clicks per 100 views; null without views',
    sessions_viewed UInt64 comment 'Distinct sessions that saw the element with the value',
    sessions_clicked UInt64 comment 'Distinct sessions that clicked on the element with the value'
)
as
select
    date,
    field,
    value,
    element_id,
    sum(views_state) as views,
    sum(clicks_state) as clicks,
    100 * clicks / nullIf(views, 0) as conversion_percent,
    sum(sessions_viewed_state) as sessions_viewed,
    sum(sessions_clicked_state) as sessions_clicked
from own_field_days
where element_id != ''
group by
    date,
    field,
    value,
    element_id
