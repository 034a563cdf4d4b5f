-- Purpose: which campaigns bring visits. One row per source, medium and campaign, the most frequent first, at most
-- 1000; as the dashboard's "Campaigns".
-- Input: visit_sources; first and last day, sites, types of device and countries; an empty list stands for all.
select
    utm_source,
    utm_medium,
    utm_campaign,
    sum(visit_sources.sessions) as visits,
    100 * sum(visit_sources.sessions_clicked) / nullIf(visits, 0) as clicked_percent,
    sum(visit_sources.events) / nullIf(visits, 0) as events_per_visit
from visit_sources
where date between {first_date:Date} and {last_date:Date}
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by
    utm_source,
    utm_medium,
    utm_campaign
order by
    visits desc,
    utm_source,
    utm_medium,
    utm_campaign
limit 1000
