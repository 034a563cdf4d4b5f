-- Purpose: the view visit_sources has each session of people once a day, with the origin of its first event, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: visit_sources, events, users.
--
-- The origin is found in another way than in the mart: by sorting, and by taking the URLs apart with expressions.
select
    date,
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    url_host,
    device_type,
    country,
    sessions,
    sessions_clicked,
    events,
    sum(of_view) as side
from
(
    select
        date,
        referrer_host,
        utm_source,
        utm_medium,
        utm_campaign,
        url_host,
        device_type,
        country,
        sessions,
        sessions_clicked,
        events,
        1 as of_view
    from visit_sources
    union all
    select
        date,
        if(
            referrer = '',
            '(direct)',
            if(
                referring in ('', replaceRegexpOne(host, '^www[.]', '')),
                '(own site)',
                referring
            )
        ) as referrer_host,
        campaign[1] as utm_source,
        campaign[2] as utm_medium,
        campaign[3] as utm_campaign,
        coalesce(nullIf(host, ''), '(no host)') as url_host,
        device as device_type,
        user_country as country,
        count() as sessions,
        sum(has_click) as sessions_clicked,
        sum(events_of_session) as events,
        -1 as of_view
    from
    (
        select
            date,
            first_event.3 as referrer,
            first_event.4 as host,
            first_event.5 as device,
            first_event.6 as user_country,
            lower(domainWithoutWWW(referrer)) as referring,
            arrayMap(
                value -> if(value = '', '(none)', substringUTF8(decodeURLFormComponent(value), 1, 100)),
                [
                    extract(cutFragment(first_event.7), '[?&]utm_source=([^&]*)'),
                    extract(cutFragment(first_event.7), '[?&]utm_medium=([^&]*)'),
                    extract(cutFragment(first_event.7), '[?&]utm_campaign=([^&]*)')
                ]
            ) as campaign,
            has_click,
            events_of_session
        from
        (
            select
                toDate(created_at) as date,
                session_id,
                arraySort(
                    groupArray((
                        created_at,
                        events.id,
                        referrer,
                        toString(url_host),
                        toString(device_type),
                        coalesce(nullIf(toString(users.country), ''), 'unknown'),
                        url
                    ))
                )[1] as first_event,
                max(type = 'click') as has_click,
                count() as events_of_session
            from events
            left join users final on users.id = events.user_id
            where not is_bot
            group by
                date,
                session_id
        )
    )
    group by
        date,
        referrer_host,
        utm_source,
        utm_medium,
        utm_campaign,
        url_host,
        device_type,
        country
)
group by
    date,
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    url_host,
    device_type,
    country,
    sessions,
    sessions_clicked,
    events
having side != 0
