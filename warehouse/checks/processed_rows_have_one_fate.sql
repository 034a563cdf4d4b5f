-- Purpose: every raw row up to the progress of its origin is stored, a duplicate or quarantined, one of these and
-- once; nothing else is, and nothing of an erased coordinate is left. One row per coordinate for which that is not so.
-- Inputs: raw_events, etl_progress, events, duplicate_events, quarantined_events, erased_events.
with
    progress as
    (
        select
            origin,
            max(offset) as last_offset
        from etl_progress
        group by origin
    ),
    fates as
    (
        select
            raw_events.origin as origin,
            raw_events.offset as offset,
            raw_events.item as item,
            1 as received,
            0 as decided
        from raw_events
        inner join progress on progress.origin = raw_events.origin
        where raw_events.offset <= progress.last_offset
        union all
        select
            origin,
            offset,
            item,
            0 as received,
            1 as decided
        from events
        union all
        select
            origin,
            offset,
            item,
            0 as received,
            1 as decided
        from duplicate_events
        union all
        select
            origin,
            offset,
            item,
            0 as received,
            1 as decided
        from quarantined_events final
        union all
        select
            origin,
            offset,
            item,
            1 as received,
            1 as decided
        from erased_events final
    )
select
    origin,
    offset,
    item,
    sum(received) as times_received,
    sum(decided) as times_decided
from fates
group by
    origin,
    offset,
    item
having times_received != 1
    or times_decided != 1
