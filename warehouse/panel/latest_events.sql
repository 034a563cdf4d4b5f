-- Purpose: the events received last, and what became of each. One row per received event, at most {limit}, among the
-- last {records} records of the origins that received something last.
-- Inputs: raw_events (its projection finds the origins), etl_progress, quarantined_events, duplicate_events; source and
-- a text that the body must hold, each empty for any.
with
    last_offsets as
    (
        select
            origin,
            max(last_offset) as last_offset
        from
        (
            select
                origin,
                toDate(received_at) as day,
                max(offset) as last_offset
            from raw_events
            group by
                origin,
                day
        )
        group by origin
        order by max(day) desc
        limit 12
    ),
    records as
    (
        select
            origin,
            arrayJoin(range(toUInt64(last_offset - least(last_offset, {records:UInt64})), last_offset + 1)) as offset
        from last_offsets
    ),
    (select (groupArray(origin), groupArray(offset + 1)) from etl_progress final) as progress
select
    source,
    origin,
    offset,
    item,
    received_at,
    body,
    multiIf(
        offset >= transform(origin, progress.1, progress.2, 0), 'pending',
        (origin, offset, item) in (
            select
                origin,
                offset,
                item
            from quarantined_events
            where (origin, offset) in (select origin, offset from records)
        ), 'quarantined',
        (origin, offset, item) in (
            select
                origin,
                offset,
                item
            from duplicate_events
            where (origin, offset) in (select origin, offset from records)
        ), 'duplicate',
        'stored'
    ) as fate
from raw_events
where (origin, offset) in (select origin, offset from records)
    and ({source:String} = '' or source = {source:String})
    and ({text:String} = '' or positionCaseInsensitiveUTF8(body, {text:String}) > 0)
order by
    received_at desc,
    origin desc,
    offset desc,
    item desc
limit {limit:UInt64}
