-- Purpose: which days, sites and countries there are, for the filters of the reports. One row.
-- Inputs: daily_active_users, segment_users.
select
    (select min(date) from daily_active_users) as first_date,
    (select max(date) from daily_active_users) as last_date,
    (select arraySort(groupUniqArray(url_host)) from segment_users) as sites,
    (select arraySort(groupUniqArray(country)) from segment_users) as countries
