-- Purpose: bots are told from people. Events stored before are judged by `clickstream.storage.backfill`, which also
-- brings their paths into the spelling of today, before this migration is recorded.

alter table events add column if not exists is_bot Bool default false comment 'Whether a bot sent it, by its user agent' after user_agent;
alter table events add column if not exists bot_name LowCardinality(String) default '' comment 'Name of the bot; empty for a person' after is_bot;

-- One row per day and bot. Key: the bot.
create table if not exists bot_days
(
    date Date comment 'Day (UTC) of created_at',
    bot_name LowCardinality(String) comment 'Name of the bot',
    events_state SimpleAggregateFunction(sum, UInt64) comment 'Events',
    pages_state AggregateFunction(uniqExact, String) comment 'Pages with events, each once'
)
engine = AggregatingMergeTree
partition by date
order by bot_name
comment 'What bots did, one row per day and bot';

create table if not exists bot_days_staging as bot_days comment 'Days of bot_days in the making';
