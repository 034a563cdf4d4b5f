-- Purpose: where a page is clicked. One row per element and square of 20 pixels with clicks.
-- Input: segment_click_positions; the page and its site, first and last day, types of device; an empty list stands
-- for all.
select
    element_id,
    x_bin,
    y_bin,
    sum(clicks) as clicks
from segment_click_positions
where url_path = {url_path:String}
    and url_host = {url_host:String}
    and date between {first_date:Date} and {last_date:Date}
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
group by
    element_id,
    x_bin,
    y_bin
order by
    y_bin,
    x_bin,
    element_id
limit 20000
