-- Purpose: fields of one's own in the payload, such as the variant of a test, become something to break down and
-- to filter by.

-- Taken out of the payload when an event is parsed: reading the JSON column of a whole day would take longer than
-- all other marts together. What was stored before is taken out by the statement below.
alter table events add column if not exists own_fields Map(LowCardinality(String), String) comment 'Scalar fields at the top of the payload beside those of the contract, as text' codec(ZSTD(1)) after payload;

alter table events update own_fields = cast(
    arrayFilter(
        field -> field.1 not in ('event_title', 'element_id', 'x', 'y', 'element_x', 'element_y')
            and lengthUTF8(field.1) between 1 and 100
            and lengthUTF8(field.2) between 1 and 200,
        arrayMap(
            field -> (
                replaceAll(replaceAll(field.1, '%2E', '.'), '%252E', '%2E'),
                multiIf(
                    startsWith(field.2, '"'), JSONExtractString(field.2),
                    match(field.2, '^(?:[\\[{]|null$)'), '',
                    field.2
                )
            ),
            JSONExtractKeysAndValuesRaw(toString(payload))
        )
    ),
    'Map(LowCardinality(String), String)'
) where empty(own_fields) settings mutations_sync = 2;

-- One row per day, own field, value and element; and one for all elements together, whose element_id is empty,
-- because distinct sessions do not add up over elements. Key: the field first, since charts show one.
create table if not exists own_field_days
(
    date Date comment 'Day (UTC) of created_at',
    field LowCardinality(String) comment 'Name of the field; (other) for fields beyond the limit of a day',
    value String comment 'Value as text; (other) for values beyond the limit of a field' codec(ZSTD(1)),
    element_id LowCardinality(String) comment 'CSS identifier of the element; empty for all together',
    views_state SimpleAggregateFunction(sum, UInt64) comment 'Views',
    clicks_state SimpleAggregateFunction(sum, UInt64) comment 'Clicks',
    sessions_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions; add up over shards, not over rows',
    sessions_viewed_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions with a view; add up over shards, not over rows',
    sessions_clicked_state SimpleAggregateFunction(sum, UInt64) comment 'Distinct sessions with a click; add up over shards, not over rows',
    values_found_state SimpleAggregateFunction(max, UInt64) comment 'Distinct values that the field had on the day, shown or not'
)
engine = AggregatingMergeTree
partition by date
order by (field, value, element_id)
comment 'Own fields of the payload, one row per day, field, value and element, and one for all elements';

create table if not exists own_field_days_staging as own_field_days comment 'Days of own_field_days in the making';
