-- Purpose: use of pages. One row per day and page. Input: events of people on the days.
select
    toDate(created_at) as date,
    url_path,
    countIf(type = 'view') as views_state,
    countIf(type = 'click') as clicks_state,
    uniqExactState(user_id) as users_state,
    uniqExact(session_id) as sessions_state,
    countIf(type = 'view' and element_id = 'html') as page_views_state
from events
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
group by
    date,
    url_path
