-- Purpose: where elements are clicked, by site and type of device.
-- One row per day, site, page, element, type of device and square of 20 pixels with clicks.
-- Input: click_position_days.
create or replace view segment_click_positions
(
    date Date comment 'Day (UTC)',
    url_host String comment 'Host of the page; (no host) if only a path was sent',
    url_path String comment 'Path of the page',
    element_id String comment 'CSS identifier of the element',
    device_type String comment 'desktop, mobile or tablet',
    x_bin UInt32 comment 'Left edge of the square in pixels from the left',
    y_bin UInt32 comment 'Upper edge of the square in pixels from the top',
    clicks UInt64 comment 'Clicks in the square'
)
as
select
    date,
    if(click_position_days.url_host = '', '(no host)', click_position_days.url_host) as url_host,
    url_path,
    element_id,
    device_type,
    x_bin,
    y_bin,
    clicks_state as clicks
from click_position_days
