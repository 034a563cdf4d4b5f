-- Purpose: up to which day figures by day go, since a day that is not over looks like a fall: yesterday; or the last day
-- there can be if the chosen sites and pages, where an empty list stands for all, have nothing before today from a first
-- day on, so that the first day of a site is seen, and so is today if nothing else is asked for.
-- One row: the last day that is shown. Input: visit_days.
create or replace view last_full_day_of
as
select if(min(date) >= toDate(now('UTC')), toDate('2149-06-06'), toDate(now('UTC')) - 1) as last_date
from visit_days
where date >= {first_date:Date}
    and (empty({sites:Array(String)}) or if(url_host = '', '(no host)', url_host) in {sites:Array(String)})
    and (empty({pages:Array(String)}) or url_path in {pages:Array(String)})
