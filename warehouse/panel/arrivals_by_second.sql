-- Purpose: how many events arrive right now. One row per 5 seconds with arrivals, oldest first.
-- Inputs: raw_events; how many seconds to look back.
select
    toDateTime64(toStartOfInterval(received_at, interval 5 second), 3, 'UTC') as at,
    countIf(source = 'csv') as csv,
    countIf(source = 'http') as http,
    countIf(source = 'tracker') as tracker,
    countIf(source = 'broker') as broker,
    countIf(source = 'replay') as replay
from raw_events
where received_at >= now64(3, 'UTC') - {seconds:UInt32}
group by at
order by at
