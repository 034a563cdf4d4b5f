-- Purpose: where visits come from: other sites, and campaigns.
-- One row per day, origin of the visit, site, type of device and country. Input: visit_source_days.
create or replace view visit_sources
(
    date Date comment 'Day (UTC)',
    referrer_host String comment 'Host of the referrer without www.; (direct) if there is none, (own site) if it is the page''s own',
    utm_source String comment 'utm_source of the first URL; (none) if there is none',
    utm_medium String comment 'utm_medium of the first URL; (none) if there is none',
    utm_campaign String comment 'utm_campaign of the first URL; (none) if there is none',
    url_host String comment 'Host of the first page; (no host) if only a path was sent',
    device_type String comment 'desktop, mobile or tablet',
    country String comment 'Country of the user; unknown if it is not known',
    sessions UInt64 comment 'Distinct sessions of the day, by their first event of the day',
    sessions_clicked UInt64 comment 'Those of them with a click on the day',
    events UInt64 comment 'Their events of the day'
)
as
select
    date,
    referrer_host,
    if(visit_source_days.utm_source = '', '(none)', visit_source_days.utm_source) as utm_source,
    if(visit_source_days.utm_medium = '', '(none)', visit_source_days.utm_medium) as utm_medium,
    if(visit_source_days.utm_campaign = '', '(none)', visit_source_days.utm_campaign) as utm_campaign,
    if(visit_source_days.url_host = '', '(no host)', visit_source_days.url_host) as url_host,
    device_type,
    country,
    sum(sessions_state) as sessions,
    sum(sessions_clicked_state) as sessions_clicked,
    sum(events_state) as events
from visit_source_days
group by
    date,
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    url_host,
    device_type,
    country
