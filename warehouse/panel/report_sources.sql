-- Purpose: where visits come from. One row per host of the referrer, the most frequent first, at most 1000; as the
-- dashboard's "Where visits come from".
-- Input: visit_sources; first and last day, sites, types of device and countries; an empty list stands for all.
select
    referrer_host,
    sum(visit_sources.sessions) as visits,
    100 * sum(visit_sources.sessions_clicked) / nullIf(visits, 0) as clicked_percent,
    sum(visit_sources.events) / nullIf(visits, 0) as events_per_visit
from visit_sources
where date between {first_date:Date} and {last_date:Date}
    and (empty({sites:Array(String)}) or url_host in {sites:Array(String)})
    and (empty({device_types:Array(String)}) or device_type in {device_types:Array(String)})
    and (empty({countries:Array(String)}) or country in {countries:Array(String)})
group by referrer_host
order by
    visits desc,
    referrer_host
limit 1000
