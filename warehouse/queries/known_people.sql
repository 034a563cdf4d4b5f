-- Purpose: everybody who is in the warehouse. One row per user id. Inputs: events, users.
select user_id
from events
group by user_id
union distinct
select id as user_id
from users
