-- Purpose: at which time of the day pages and elements are seen and elements are clicked. One row per hour of the day.
-- Input: segment_activity; first and last day, sites, types of device and countries; an empty list stands for all.
select
    hour_of_day,
    sum(segment_activity.page_views) as page_views,
    sum(element_views) as views,
    sum(clicks) as clicks
from segment_activity
where date between {first_date:Date} and {last_date:Date}
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by hour_of_day
order by hour_of_day
