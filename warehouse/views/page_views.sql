-- Purpose: which pages are used. One row per day and page. Input: page_days.
create or replace view page_views
(
    date Date comment 'Day (UTC)',
    url_path String comment 'Path of the page',
    views UInt64 comment 'Views of the page and of its elements',
    clicks UInt64 comment 'Clicks on elements of the page',
    users UInt64 comment 'Distinct users with events on the page',
    sessions UInt64 comment 'Distinct sessions with events on the page',
    page_views UInt64 comment 'Those of the views that are of the page itself: how often it was opened',
    element_views UInt64 comment 'The other views: how often elements of the page were seen'
)
as
select
    date,
    url_path,
    sum(views_state) as views,
    sum(clicks_state) as clicks,
    uniqExactMerge(users_state) as users,
    sum(sessions_state) as sessions,
    sum(page_views_state) as page_views,
    views - page_views as element_views
from page_days
group by
    date,
    url_path
