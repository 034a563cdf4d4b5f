-- Purpose: users and sessions of several sites in one warehouse are told apart. The rows of older days get their site
-- when the marts are rebuilt, which `clickstream.etl.upgrade` does before it records this migration.

alter table daily_users
    add column if not exists url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent' after date,
    modify order by (device_type, country, url_host);
alter table daily_users modify comment 'Who was active, one row per day, site, type of device and country';

alter table daily_users_staging
    add column if not exists url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent' after date,
    modify order by (device_type, country, url_host);

alter table session_days
    add column if not exists url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent' after session_hash,
    modify order by (session_hash, device_type, country, url_host);
alter table session_days modify comment 'Beginnings and ends of sessions, one row per day, session, site, type of device and country';

alter table session_days_staging
    add column if not exists url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent' after session_hash,
    modify order by (session_hash, device_type, country, url_host);
