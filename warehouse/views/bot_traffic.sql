-- Purpose: which bots come, and how much they read. No other view of behaviour counts them.
-- One row per day and bot. Input: bot_days.
create or replace view bot_traffic
(
    date Date comment 'Day (UTC)',
    bot_name String comment 'Name of the bot',
    events UInt64 comment 'Events that it sent',
    pages UInt64 comment 'Distinct pages with its events'
)
as
select
    date,
    bot_name,
    sum(events_state) as events,
    uniqExactMerge(pages_state) as pages
from bot_days
group by
    date,
    bot_name
