-- Purpose: which pages are visited. One row per page and site, the most visited first, at most 1000; as the
-- dashboard's "Pages by visits".
-- Input: segment_visits; first and last day, sites, types of device and countries; an empty list stands for all.
select
    url_path,
    url_host,
    uniqExactArray(sessions_state) as visits,
    sum(segment_visits.page_views) as page_views,
    sum(element_views) as views,
    sum(segment_visits.clicks) as clicks,
    if(views = 0, null, 100 * clicks / views) as conversion_percent
from segment_visits
where date between {first_date:Date} and {last_date:Date}
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by
    url_path,
    url_host
order by
    visits desc,
    url_path,
    url_host
limit 1000
