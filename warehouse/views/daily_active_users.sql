-- Purpose: how many users are active by the day, week and month.
-- One row per day from the first to the last with events. Input: daily_users.
--
-- An activity counts for 1, 7 and 30 days, but no longer than until the user's next one, so that nobody counts
-- twice on a day. What begins and ends to count on each day, summed up to a day, is who counts on it. That is
-- one pass over the users of each day, instead of one over those of 30 days for every day.
create or replace view daily_active_users
(
    date Date comment 'Day (UTC)',
    dau UInt64 comment 'Distinct users with events on that day',
    wau UInt64 comment 'Distinct users with events on the 7 days that end with that day',
    mau UInt64 comment 'Distinct users with events on the 30 days that end with that day'
)
as
with
    activity as
    (
        select
            date,
            arrayJoin(groupUniqArrayMerge(users_state)) as user_id
        from daily_users
        group by date
    ),
    users as
    (
        select
            user_id,
            arraySort(groupArray(date)) as dates
        from activity
        group by user_id
    ),
    activities as
    (
        select
            day,
            least(next_day - day, 30) as days_counted,
            toInt64(count()) as users
        from users
        array join
            dates as day,
            arrayPushBack(arrayPopFront(dates), dates[-1] + 30) as next_day
        group by
            day,
            days_counted
    ),
    changes as
    (
        select arrayJoin([
            (day, users, users, users),
            (day + 1, -users, 0, 0),
            (day + least(days_counted, 7), 0, -users, 0),
            (day + days_counted, 0, 0, -users)
        ]) as change
        from activities
        union all
        select (arrayJoin(arrayMap(number -> min(date) + number, range(toUInt32(max(date) - min(date)) + 1))), 0, 0, 0) as change
        from daily_users
        having count() > 0
    ),
    daily_changes as
    (
        select
            change.1 as date,
            sum(change.2) as dau_change,
            sum(change.3) as wau_change,
            sum(change.4) as mau_change
        from changes
        group by date
        having date <= (select max(date) from daily_users)
    )
select
    date,
    toUInt64(sum(dau_change) over (order by date rows between unbounded preceding and current row)) as dau,
    toUInt64(sum(wau_change) over (order by date rows between unbounded preceding and current row)) as wau,
    toUInt64(sum(mau_change) over (order by date rows between unbounded preceding and current row)) as mau
from daily_changes
