-- Purpose: the report on one CSV file. One row per problem of a line: refused ones and stored ones with a warning.
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
        offset as line,
        'refused' as outcome,
        error.code as code,
        error.field as field,
        error.message as message,
        error.value as value
    from quarantined_events final
    array join errors as error
    where origin = {origin:String}
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
