-- Purpose: which pages have clicks with a position. One row per page and site, the most clicked first, at most 200.
-- Input: segment_click_positions; first and last day, sites, types of device; an empty list stands for all.
select
    url_path,
    url_host,
    sum(clicks) as clicks
from segment_click_positions
where date between {first_date:Date} and {last_date:Date}
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
group by
    url_path,
    url_host
order by
    clicks desc,
    url_path,
    url_host
limit 200
