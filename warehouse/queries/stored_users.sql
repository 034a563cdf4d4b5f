-- Purpose: what is known of some users. One row per user that is there. Input: users.
select
    id,
    fio,
    country
from users final
where id in {ids:Array(UInt64)}
