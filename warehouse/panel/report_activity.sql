-- Purpose: page views, views of elements and clicks by day. One row per day.
-- Input: segment_activity; first and last day, sites, types of device and countries; an empty list stands for all.
select
    date,
    sum(segment_activity.page_views) as page_views,
    sum(element_views) as views,
    sum(segment_activity.clicks) as clicks,
    if(views = 0, null, 100 * clicks / views) as conversion_percent
from segment_activity
where date between {first_date:Date} and {last_date:Date}
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by date
order by date
