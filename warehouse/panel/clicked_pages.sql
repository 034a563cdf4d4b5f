-- Purpose: which pages have clicks with a position. One row per page, the most clicked first, at most 200.
-- Input: segment_click_positions; first and last day, types of device, where an empty list stands for all.
select
    url_path,
    sum(clicks) as clicks
from segment_click_positions
where date between {first_date:Date} and {last_date:Date}
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
group by url_path
order by
    clicks desc,
    url_path
limit 200
