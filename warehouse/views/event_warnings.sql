-- Purpose: which optional values could not be used, so that events were stored without them.
-- One row per day of receipt, source, field and error code. Input: events.
create or replace view event_warnings
(
    date Date comment 'Day (UTC) of the receipt',
    source String comment 'How the events arrived: csv, http, tracker, broker or replay',
    field String comment 'Field whose value could not be used',
    code String comment 'Error code, as in the reference',
    events UInt64 comment 'Events that were stored without the value'
)
as
select
    toDate(received_at) as date,
    source,
    warning_field as field,
    warning as code,
    count() as events
from events
array join
    warnings as warning,
    warning_fields as warning_field
group by
    date,
    source,
    field,
    code
