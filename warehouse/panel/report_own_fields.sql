-- Purpose: what events with each value of a field of one's own did. One row per field and value, the value with the
-- most sessions first, at most 1000; as the dashboard's "Values of the own field".
-- Input: own_fields; first and last day.
select
    field,
    value,
    sum(own_fields.sessions) as sessions,
    sum(own_fields.page_views) as page_views,
    sum(element_views) as views,
    sum(own_fields.clicks) as clicks,
    if(views = 0, null, 100 * clicks / views) as conversion_percent,
    100 * sum(own_fields.sessions_clicked) / nullIf(sum(own_fields.sessions_viewed), 0) as sessions_clicked_percent
from own_fields
where date between {first_date:Date} and {last_date:Date}
group by
    field,
    value
order by
    sessions desc,
    field,
    value
limit 1000
