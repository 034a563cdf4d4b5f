-- Purpose: the view segment_click_positions is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: segment_click_positions, events.
select
    date,
    url_host,
    url_path,
    element_id,
    device_type,
    x_bin,
    y_bin,
    clicks,
    sum(of_view) as side
from
(
    select
        date,
        url_host,
        url_path,
        element_id,
        device_type,
        x_bin,
        y_bin,
        clicks,
        1 as of_view
    from segment_click_positions
    union all
    select
        toDate(created_at) as date,
        if(events.url_host = '', '(no host)', events.url_host) as url_host,
        url_path,
        element_id,
        device_type,
        toUInt32(x - x % 20) as x_bin,
        toUInt32(y - y % 20) as y_bin,
        count() as clicks,
        -1 as of_view
    from events
    where type = 'click'
        and not is_bot
        and x is not null
        and y is not null
    group by
        date,
        url_host,
        url_path,
        element_id,
        device_type,
        x_bin,
        y_bin
)
group by
    date,
    url_host,
    url_path,
    element_id,
    device_type,
    x_bin,
    y_bin,
    clicks
having side != 0
