-- Purpose: the report on one CSV file. One row per problem of a line: refused ones and stored ones with a warning.
-- A line that was sent again is told so; if it was refused once more, that is a row of its own.
-- Inputs: quarantined_events and events; the file's origin.
select
    line,
    outcome,
    code,
    field,
    message,
    value
from (
    select
        if(original = '', offset, toUInt64(splitByChar(':', original)[2])) as line,
        multiIf(
            original != '' and replayed_at is null, 'refused again',
            original != '', 'refused again, then replayed',
            replayed_at is null, 'refused',
            'refused, then replayed'
        ) as outcome,
        error.code as code,
        error.field as field,
        error.message as message,
        error.value as value
    from quarantined_events final
    array join errors as error
    where origin = {origin:String}
        or (origin = 'replay' and startsWith(original, concat({origin:String}, ':')))
    union all
    select
        offset as line,
        'stored without the value' as outcome,
        toString(warning) as code,
        toString(warning_field) as field,
        '' as message,
        '' as value
    from events
    array join
        warnings as warning,
        warning_fields as warning_field
    where source = 'csv'
        and origin = {origin:String}
)
order by
    line,
    outcome,
    field
settings
    max_bytes_before_external_sort = 268435456,
    max_bytes_ratio_before_external_sort = 0
