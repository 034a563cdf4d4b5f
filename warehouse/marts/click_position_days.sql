-- Purpose: where elements were clicked. One row per day, site, page, element, type of device
-- and square of 20 pixels.
-- Input: clicks of people on the days that have a position.
select
    toDate(created_at) as date,
    url_host,
    url_path,
    element_id,
    device_type,
    intDiv(assumeNotNull(x), 20) * 20 as x_bin,
    intDiv(assumeNotNull(y), 20) * 20 as y_bin,
    count() as clicks_state
from events
where toDate(created_at) in {days:Array(Date)}
    and not is_bot
    and type = 'click'
    and isNotNull(x)
    and isNotNull(y)
group by
    date,
    url_host,
    url_path,
    element_id,
    device_type,
    x_bin,
    y_bin
