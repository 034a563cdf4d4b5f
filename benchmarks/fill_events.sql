-- Events for the benchmark of the dashboards, straight into the table: sessions of six events, over some days that
-- end yesterday; 20 pages, 60 elements, 30 event titles, a user in three has known countries.
insert into events
(
    id, type, created_at, received_at, session_id, ip, user_id, url, url_host, url_path, referrer, device_type,
    user_agent, event_title, element_id, x, y, payload_text, source, origin, offset, item
)
with
    intDiv(number, 6) as session,
    cityHash64(session, 'start') as dice,
    cityHash64(number, 'event') as event_dice,
    today() - {days:UInt32} as first_day,
    event_dice % 5 = 0 as is_click,
    bitShiftRight(event_dice, 8) % 20 as page,
    page * 3 + bitShiftRight(event_dice, 16) % 3 as element
select
    number + 1 as id,
    if(is_click, 'click', 'view') as type,
    toDateTime64(first_day, 3, 'UTC') + toIntervalSecond(dice % ({days:UInt32} * 86400 - 600) + number % 6 * 20) as created_at,
    created_at + toIntervalSecond(event_dice % 90) as received_at,
    toString(session) as session_id,
    '192.0.2.1' as ip,
    bitShiftRight(dice, 20) % {users:UInt64} + 1 as user_id,
    concat('https://shop.example/page/', toString(page)) as url,
    'shop.example' as url_host,
    concat('/page/', toString(page)) as url_path,
    '' as referrer,
    ['desktop', 'mobile', 'tablet'][dice % 3 + 1] as device_type,
    '' as user_agent,
    concat('title_', toString(intDiv(element, 2))) as event_title,
    concat('#element-', toString(element)) as element_id,
    if(is_click, bitShiftRight(event_dice, 24) % 1400, null) as x,
    if(is_click, bitShiftRight(event_dice, 34) % 3000, null) as y,
    concat('{"event_title": "', event_title, '", "element_id": "', element_id, '"}') as payload_text,
    ['csv', 'http', 'tracker', 'broker'][dice % 4 + 1] as source,
    'benchmark' as origin,
    number as offset,
    0 as item
from numbers_mt({from:UInt64}, {events:UInt64})
settings max_partitions_per_insert_block = 0
