-- Purpose: what became of each CSV file, whenever it was loaded and processed.
-- One row per file, the one received last first, at most {limit}.
-- Inputs: raw_events, events, duplicate_events, quarantined_events, file_names, file_reports; the origin of one file,
-- empty for all. Open are the refused lines that were not sent again, and those that were refused once more.
with
    receipts as (
        select
            origin,
            count() as received,
            max(offset) as last_line,
            min(received_at) as first_received_at,
            max(received_at) as last_received_at
        from raw_events
        where startsWith(origin, 'csv/')
            and ({origin:String} = '' or origin = {origin:String})
        group by origin
        order by last_received_at desc
        limit {limit:UInt64}
    ),
    stored as (
        select
            origin,
            count() as events,
            countIf(notEmpty(warnings)) as warned
        from events
        where source = 'csv'
            and ({origin:String} = '' or origin = {origin:String})
        group by origin
    ),
    duplicates as (
        select
            origin,
            count() as events
        from duplicate_events
        where startsWith(origin, 'csv/')
            and ({origin:String} = '' or origin = {origin:String})
        group by origin
    ),
    refused as (
        select
            origin,
            sum(events_of_code) as codes_counted,
            groupArray((code, events_of_code)) as codes
        from (
            select
                origin,
                code,
                count() as events_of_code
            from quarantined_events final
            array join reasons as code
            where startsWith(origin, 'csv/')
                and ({origin:String} = '' or origin = {origin:String})
            group by
                origin,
                code
            order by events_of_code desc
        )
        group by origin
    ),
    quarantined as (
        select
            if(original = '', origin, splitByChar(':', original)[1]) as first_origin,
            countIf(original = '') as events,
            countIf(original = '' and replayed_at is not null) as replayed,
            countIf(replayed_at is null) as still_open
        from quarantined_events final
        where startsWith(first_origin, 'csv/')
            and ({origin:String} = '' or first_origin = {origin:String})
        group by first_origin
    ),
    names as (
        select
            origin,
            name
        from file_names final
        where {origin:String} = '' or origin = {origin:String}
    ),
    reports as (
        select
            origin,
            name,
            same_content,
            other_content,
            toNullable(reported_at) as reported_at
        from file_reports final
        where {origin:String} = '' or origin = {origin:String}
    )
select
    substring(receipts.origin, 5) as sha256,
    if(names.name = '', reports.name, names.name) as name,
    receipts.received as received,
    receipts.last_line as last_line,
    receipts.first_received_at as first_received_at,
    receipts.last_received_at as last_received_at,
    stored.events as stored,
    stored.warned as warned,
    duplicates.events as duplicate,
    reports.same_content as same_content,
    reports.other_content as other_content,
    reports.reported_at as reported_at,
    quarantined.events as quarantined,
    quarantined.replayed as replayed,
    quarantined.still_open as still_open,
    toInt64(receipts.received) - toInt64(stored.events) - toInt64(duplicates.events)
        - toInt64(quarantined.events) as pending,
    refused.codes.1 as codes,
    refused.codes.2 as code_counts
from receipts
left join stored on stored.origin = receipts.origin
left join duplicates on duplicates.origin = receipts.origin
left join quarantined on quarantined.first_origin = receipts.origin
left join refused on refused.origin = receipts.origin
left join names on names.origin = receipts.origin
left join reports on reports.origin = receipts.origin
order by last_received_at desc
