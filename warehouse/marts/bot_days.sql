-- Purpose: what bots did. One row per day and bot. Input: events of the days.
select
    toDate(created_at) as date,
    bot_name,
    count() as events_state,
    uniqExactState(toString(url_path)) as pages_state
from events
where toDate(created_at) in {days:Array(Date)}
    and is_bot
group by
    date,
    bot_name
