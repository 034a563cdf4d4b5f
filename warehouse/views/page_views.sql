-- Purpose: which pages are used. One row per day and page. Input: page_days.
create or replace view page_views
(
    date Date comment 'Day (UTC)',
    url_path String comment 'Path of the page',
    views UInt64 comment 'Views of elements of the page',
    clicks UInt64 comment 'Clicks on elements of the page',
    users UInt64 comment 'Distinct users with events on the page',
    sessions UInt64 comment 'Distinct sessions with events on the page'
)
as
select
    date,
    url_path,
    sum(views_state) as views,
    sum(clicks_state) as clicks,
    uniqExactMerge(users_state) as users,
    sum(sessions_state) as sessions
from page_days
group by
    date,
    url_path
