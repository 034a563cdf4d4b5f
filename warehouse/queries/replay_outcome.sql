-- Purpose: what became of the events of the replays past an offset. One row: their numbers.
-- Inputs: events, duplicate_events, quarantined_events; the offset, -1 for all.
select
    (
        select count()
        from events
        where origin = 'replay'
            and offset > {after_offset:Int64}
    ) as stored,
    (
        select count()
        from duplicate_events
        where origin = 'replay'
            and offset > {after_offset:Int64}
    ) as duplicate,
    (
        select count()
        from quarantined_events final
        where origin = 'replay'
            and offset > {after_offset:Int64}
    ) as refused
