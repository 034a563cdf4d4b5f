-- Purpose: where elements are clicked, by the type of device.
-- One row per day, page, element, type of device and square of 20 pixels with clicks. Input: click_position_days.
create or replace view segment_click_positions
(
    date Date comment 'Day (UTC)',
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
    url_path,
    element_id,
    device_type,
    x_bin,
    y_bin,
    clicks_state as clicks
from click_position_days
