-- Purpose: how many users of a segment are active by the day, week and month: of some sites, types of
-- device and countries, where an empty list stands for all; from a first day on, so that older days need not be read.
-- One row per day from the first to the last with events of the segment. Input: daily_users.
--
-- An activity counts for 1, 7 and 30 days, but no longer than until the user's next one, so that nobody counts
-- twice on a day. What begins and ends to count on each day, summed up to a day, is who counts on it. That is
-- one pass over the users of each day, instead of one over those of 30 days for every day.
create or replace view active_users_of
as
with
    segment as
    (
        select
            date,
            users_state
        from daily_users
        where date + 30 > {first_date:Date}
            and (empty({sites:Array(String)}) or if(url_host = '', '(no host)', url_host) in {sites:Array(String)})
            and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
            and (empty({countries:Array(String)}) or country in {countries:Array(String)})
    ),
    bounds as
    (
        select
            greatest(min(date), {first_date:Date}) as first_day,
            max(date) as last_day
        from daily_users
        where (empty({sites:Array(String)}) or if(url_host = '', '(no host)', url_host) in {sites:Array(String)})
            and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
            and (empty({countries:Array(String)}) or country in {countries:Array(String)})
        having count() > 0
    ),
    activity as
    (
        select
            date,
            arrayJoin(users_state) as user_id
        from segment
    ),
    users as
    (
        select
            user_id,
            arraySort(arrayDistinct(groupArray(date))) as dates
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
        select (first_day + arrayJoin(range(toUInt32(greatest(last_day - first_day + 1, 0)))), 0, 0, 0) as change
        from bounds
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
        having date <= (select last_day from bounds)
    ),
    running as
    (
        select
            date,
            sum(dau_change) over (order by date rows between unbounded preceding and current row) as dau,
            sum(wau_change) over (order by date rows between unbounded preceding and current row) as wau,
            sum(mau_change) over (order by date rows between unbounded preceding and current row) as mau
        from daily_changes
    )
select
    date,
    toUInt64(dau) as dau,
    toUInt64(wau) as wau,
    toUInt64(mau) as mau
from running
where date >= {first_date:Date}
