-- Purpose: the sets of segment_users are the users of people's events.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: segment_users, events, users.
select
    date,
    url_host,
    device_type,
    country,
    user_ids,
    sum(of_view) as side
from
(
    select
        date,
        url_host,
        device_type,
        country,
        arraySort(groupUniqArrayArray(users_state)) as user_ids,
        1 as of_view
    from segment_users
    group by
        date,
        url_host,
        device_type,
        country
    union all
    select
        toDate(created_at) as date,
        coalesce(nullIf(events.url_host, ''), '(no host)') as url_host,
        device_type,
        coalesce(nullIf(users.country, ''), 'unknown') as country,
        arraySort(arrayDistinct(groupArray(user_id))) as user_ids,
        -1 as of_view
    from events
    left join users final on users.id = events.user_id
    where not is_bot
    group by
        date,
        url_host,
        device_type,
        country
)
group by
    date,
    url_host,
    device_type,
    country,
    user_ids
having side != 0
