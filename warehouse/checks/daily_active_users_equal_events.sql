-- Purpose: the view daily_active_users is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: daily_active_users, events.
select
    date,
    dau,
    wau,
    mau,
    sum(of_view) as side
from
(
    select
        date,
        dau,
        wau,
        mau,
        1 as of_view
    from daily_active_users
    union all
    select
        day as date,
        uniqExactIf(user_id, active_on = day) as dau,
        uniqExactIf(user_id, active_on <= day and active_on + 6 >= day) as wau,
        uniqExactIf(user_id, active_on <= day) as mau,
        -1 as of_view
    from
    (
        select
            user_id,
            toDate(created_at) as active_on,
            arrayJoin(arrayMap(days_later -> active_on + days_later, range(30))) as day
        from events
        where not is_bot
        group by
            user_id,
            active_on
        union all
        select
            0 as user_id,
            toDate('2149-06-06') as active_on,
            arrayJoin(arrayMap(days_later -> min(toDate(created_at)) + days_later, range(toUInt32(max(toDate(created_at)) - min(toDate(created_at))) + 1))) as day
        from events
        where not is_bot
        having count() > 0
    )
    where day <= (select max(toDate(created_at)) from events where not is_bot)
    group by day
)
group by
    date,
    dau,
    wau,
    mau
having side != 0
