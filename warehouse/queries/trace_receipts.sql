-- Purpose: some raw rows and what became of each. One row per given coordinate that is in raw_events.
-- Inputs: raw_events, events, duplicate_events, quarantined_events, etl_progress; the coordinates, and once more their
-- origins, so that the keys are used, and their offsets: `events` is not ordered by coordinate, and one column of
-- numbers is searched twenty times as fast as tuples with texts.
with
    stored as
    (
        select
            origin,
            offset,
            item,
            id,
            created_at,
            type,
            stored_at
        from events
        prewhere offset in {offsets:Array(UInt64)}
        where origin in {origins:Array(String)}
            and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
    ),
    duplicate as
    (
        select
            origin,
            offset,
            item,
            any(id) as id,
            min(recorded_at) as recorded_at
        from duplicate_events
        where origin in {origins:Array(String)}
            and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
        group by
            origin,
            offset,
            item
    ),
    quarantined as
    (
        select
            origin,
            offset,
            item,
            errors,
            quarantined_at,
            replayed_at
        from quarantined_events final
        where origin in {origins:Array(String)}
            and (origin, offset, item) in {coordinates:Array(Tuple(String, UInt64, UInt32))}
    ),
    progress as
    (
        select
            origin,
            max(offset) as last_offset
        from etl_progress
        where origin in {origins:Array(String)}
        group by origin
    )
select
    raw_events.source as source,
    raw_events.origin as origin,
    raw_events.offset as offset,
    raw_events.item as item,
    raw_events.received_at as received_at,
    raw_events.loaded_at as loaded_at,
    raw_events.body as body,
    raw_events.replay_of as replay_of,
    multiIf(
        stored.id is not null, 'stored',
        duplicate.id is not null, 'duplicate',
        quarantined.quarantined_at is not null, 'quarantined',
        progress.last_offset is null or raw_events.offset > progress.last_offset, 'pending',
        'unaccounted'
    ) as fate,
    coalesce(stored.stored_at, duplicate.recorded_at, quarantined.quarantined_at) as decided_at,
    coalesce(stored.id, duplicate.id) as event_id,
    stored.created_at as created_at,
    stored.type as type,
    quarantined.errors as errors,
    quarantined.replayed_at as replayed_at
from raw_events
left join stored on stored.origin = raw_events.origin
    and stored.offset = raw_events.offset
    and stored.item = raw_events.item
left join duplicate on duplicate.origin = raw_events.origin
    and duplicate.offset = raw_events.offset
    and duplicate.item = raw_events.item
left join quarantined on quarantined.origin = raw_events.origin
    and quarantined.offset = raw_events.offset
    and quarantined.item = raw_events.item
left join progress on progress.origin = raw_events.origin
where raw_events.origin in {origins:Array(String)}
    and (raw_events.origin, raw_events.offset, raw_events.item)
        in {coordinates:Array(Tuple(String, UInt64, UInt32))}
order by
    received_at,
    origin,
    offset,
    item
settings join_use_nulls = 1
