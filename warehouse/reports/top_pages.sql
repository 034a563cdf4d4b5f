-- Purpose: the pages that are opened most. One row per page, over all days. Input: page_views.
select
    url_path,
    sum(page_views.page_views) as page_views,
    sum(page_views.clicks) as clicks
from page_views
group by url_path
order by
    page_views desc,
    url_path
limit {limit:UInt32}
