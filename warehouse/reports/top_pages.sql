-- Purpose: the pages that are seen most. One row per page, over all days. Input: page_views.
select
    url_path,
    sum(views) as views,
    sum(clicks) as clicks
from page_views
group by url_path
order by
    views desc,
    url_path
limit {limit:UInt32}
