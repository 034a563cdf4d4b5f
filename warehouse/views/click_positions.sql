-- Purpose: where elements are clicked, for a heatmap.
-- One row per day, page, element and square of 20 pixels with clicks. Input: click_position_days.
create or replace view click_positions
(
    date Date comment 'Day (UTC)',
    url_path String comment 'Path of the page',
    element_id String comment 'CSS identifier of the element',
    x_bin UInt32 comment 'Left edge of the square in pixels from the left',
    y_bin UInt32 comment 'Upper edge of the square in pixels from the top',
    clicks UInt64 comment 'Clicks in the square'
)
as
select
    date,
    url_path,
    element_id,
    x_bin,
    y_bin,
    sum(clicks_state) as clicks
from click_position_days
group by
    date,
    url_path,
    element_id,
    x_bin,
    y_bin
