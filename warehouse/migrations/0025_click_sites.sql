-- Purpose: clicks on pages of several sites with the same path are told apart on the heatmap. The rows of older days
-- get their site when the marts are rebuilt, which `clickstream.etl.upgrade` does before it records this migration.

alter table click_position_days
    add column if not exists url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent' after date,
    modify order by (url_path, element_id, device_type, x_bin, y_bin, url_host);
alter table click_position_days modify comment 'Where elements were clicked, one row per day, site, page, element, type of device and square of 20 pixels';

alter table click_position_days_staging
    add column if not exists url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent' after date,
    modify order by (url_path, element_id, device_type, x_bin, y_bin, url_host);
