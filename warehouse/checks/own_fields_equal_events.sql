-- Purpose: the views own_fields and own_field_elements are what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for a view, -1 for the count.
-- Inputs: own_fields, own_field_elements, events. An empty element_id stands for all elements.
--
-- Which values are listed is the mart's choice; every other one must be counted as (other).
with
    (
        select groupUniqArray((date, field))
        from own_fields
    ) as listed_fields,
    (
        select groupUniqArray((date, field, value))
        from own_fields
    ) as listed_values
select
    date,
    field,
    value,
    element_id,
    views,
    clicks,
    sessions_viewed,
    sessions_clicked,
    page_views,
    sum(of_view) as side
from
(
    select
        date,
        field,
        value,
        '' as element_id,
        views,
        clicks,
        sessions_viewed,
        sessions_clicked,
        page_views,
        1 as of_view
    from own_fields
    union all
    select
        date,
        field,
        value,
        element_id,
        views,
        clicks,
        sessions_viewed,
        sessions_clicked,
        if(element_id = 'html', views, 0) as page_views,
        1 as of_view
    from own_field_elements
    union all
    select
        toDate(created_at) as date,
        if((date, own_field.1) in listed_fields, own_field.1, '(other)') as field,
        if((date, field, own_field.2) in listed_values, own_field.2, '(other)') as value,
        element as element_id,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        uniqExactIf(session_id, type = 'view') as sessions_viewed,
        uniqExactIf(session_id, type = 'click') as sessions_clicked,
        countIf(type = 'view' and events.element_id = 'html') as page_views,
        -1 as of_view
    from events
    array join own_fields as own_field
    array join ['', toString(element_id)] as element
    where not is_bot
    group by
        date,
        field,
        value,
        element_id
)
group by
    date,
    field,
    value,
    element_id,
    views,
    clicks,
    sessions_viewed,
    sessions_clicked,
    page_views
having side != 0
