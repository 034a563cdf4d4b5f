-- Purpose: the days on which users were active that were written after a moment. One row per day.
-- Inputs: events, users.
select distinct toDate(created_at) as date
from events
where user_id in (select id from users where toUnixTimestamp64Milli(loaded_at) > {since_ms:UInt64})
order by date
