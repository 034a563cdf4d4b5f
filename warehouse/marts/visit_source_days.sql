-- Purpose: where visits came from. One row per day, origin of the visit, site, type of device and country.
-- Inputs: events of people on the days, the users' countries.
--
-- A session counts once a day, by its first event of the day: that event says the referrer and the campaign.
select
    date,
    multiIf(
        first.referrer = '', '(direct)',
        referring in ('', replaceRegexpOne(lower(first.url_host), '^www\\.', '')), '(own site)',
        referring
    ) as referrer_host,
    first.utm_source as utm_source,
    first.utm_medium as utm_medium,
    first.utm_campaign as utm_campaign,
    first.url_host as url_host,
    first.device_type as device_type,
    first.country as country,
    count() as sessions_state,
    countIf(clicks > 0) as sessions_clicked_state,
    sum(events_of_session) as events_state
from
(
    select
        toDate(created_at) as date,
        session_id,
        argMin(
            tuple(
                referrer,
                toString(url_host),
                toString(device_type),
                if(users.country = '', 'unknown', toString(users.country)),
                substringUTF8(decodeURLFormComponent(extractURLParameter(cutFragment(url), 'utm_source')), 1, 100),
                substringUTF8(decodeURLFormComponent(extractURLParameter(cutFragment(url), 'utm_medium')), 1, 100),
                substringUTF8(decodeURLFormComponent(extractURLParameter(cutFragment(url), 'utm_campaign')), 1, 100)
            )::Tuple(
                referrer String,
                url_host String,
                device_type String,
                country String,
                utm_source String,
                utm_medium String,
                utm_campaign String
            ),
            (created_at, events.id)
        ) as first,
        lower(domainWithoutWWW(first.referrer)) as referring,
        countIf(type = 'click') as clicks,
        count() as events_of_session
    from events
    any left join users final on users.id = events.user_id
    where toDate(created_at) in {days:Array(Date)}
        and not is_bot
    group by
        date,
        session_id
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
