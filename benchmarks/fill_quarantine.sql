-- Events that are not valid, for the benchmark of the dashboards: received evenly over the same days.
insert into quarantined_events (source, origin, offset, item, received_at, body, reasons, errors)
select
    ['csv', 'http', 'tracker', 'broker'][cityHash64(number) % 4 + 1] as source,
    'benchmark' as origin,
    number as offset,
    0 as item,
    toDateTime64(today() - {days:UInt32}, 3, 'UTC') + toIntervalSecond(cityHash64(number, 'at') % ({days:UInt32} * 86400)) as received_at,
    '{}' as body,
    [['missing_field', 'invalid_timestamp', 'unknown_event_type'][number % 3 + 1]] as reasons,
    [(reasons[1], 'benchmark', 'made for the benchmark', '')] as errors
from numbers({from:UInt64}, {events:UInt64})
settings max_partitions_per_insert_block = 0
