-- Purpose: which devices a segment uses. One row per day and type of device.
-- Inputs: segment_visits, segment_users; first and last day, sites, types of device and countries; an empty list
-- stands for all.
with
    visits as
    (
        select
            date,
            device_type,
            sum(views) + sum(clicks) as events,
            uniqExactArray(sessions_state) as sessions
        from segment_visits
        where date between {first_date:Date} and {last_date:Date}
            and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
            and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
            and (empty({countries:Array(String)}) or country in {countries:Array(String)})
        group by
            date,
            device_type
    ),
    active as
    (
        select
            date,
            device_type,
            uniqExactArray(users_state) as users
        from segment_users
        where date between {first_date:Date} and {last_date:Date}
            and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
            and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
            and (empty({countries:Array(String)}) or country in {countries:Array(String)})
        group by
            date,
            device_type
    )
select
    date,
    device_type,
    events,
    sessions,
    users
from visits
inner join active using (date, device_type)
order by
    date,
    device_type
