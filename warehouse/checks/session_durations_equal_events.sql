-- Purpose: the view session_durations is what plain counting of people's events gives, to the last digit.
-- One row per row that only one of the two has: side is 1 for the view, -1 for the count.
-- Inputs: session_durations, events.
select
    date,
    sessions,
    average_seconds,
    median_seconds,
    single_event_sessions,
    sum(of_view) as side
from
(
    select
        date,
        sessions,
        average_seconds,
        median_seconds,
        single_event_sessions,
        1 as of_view
    from session_durations
    union all
    select
        date,
        sessions,
        arraySum(durations_ms) / nullIf(length(durations_ms), 0) / 1000 as average_seconds,
        if(
            empty(durations_ms),
            null,
            (
                durations_ms[intDiv(length(durations_ms) + 1, 2)]
                + durations_ms[intDiv(length(durations_ms) + 2, 2)]
            ) / 2 / 1000
        ) as median_seconds,
        single_event_sessions,
        -1 as of_view
    from
    (
        select
            toDate(started_at) as date,
            count() as sessions,
            arraySort(groupArrayIf(duration_ms, events > 1)) as durations_ms,
            countIf(events = 1) as single_event_sessions
        from
        (
            select
                session_id,
                min(created_at) as started_at,
                toUnixTimestamp64Milli(max(created_at)) - toUnixTimestamp64Milli(started_at) as duration_ms,
                count() as events
            from events
            where not is_bot
            group by session_id
        )
        group by date
    )
)
group by
    date,
    sessions,
    average_seconds,
    median_seconds,
    single_event_sessions
having side != 0
