-- Purpose: how often elements are clicked when they are seen. One row per page, site, element and
-- event title, at most 1000.
-- Input: segment_activity; first and last day, sites, types of device and countries; an empty list stands for all.
select
    url_path,
    url_host,
    element_id,
    event_title,
    sum(element_views) as views,
    sum(segment_activity.clicks) as clicks,
    if(views = 0, null, 100 * clicks / views) as conversion_percent
from segment_activity
where date between {first_date:Date} and {last_date:Date}
    and element_id != 'html'
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by
    url_path,
    url_host,
    element_id,
    event_title
order by
    views desc,
    clicks desc,
    url_path,
    url_host,
    element_id,
    event_title
limit 1000
