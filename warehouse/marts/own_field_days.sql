-- Purpose: what events with a value of an own field did. One row per day, own field, value and element, and one for
-- all elements together.
-- Input: events of people on the days, read twice: first to choose what is kept.
--
-- Bounded: of a day's fields, the most frequent are kept, and of a field's values as well. The others are one field
-- or value, (other). A field with very many values, such as the number of an order, has no other value, unless the
-- setting names it; then its most frequent values are an estimate (topK), while all counts stay exact.
select
    date,
    field,
    value,
    element.1 as element_id,
    sum(element.2) as views_state,
    sum(element.3) as clicks_state,
    uniqExactArray(arrayConcat(element.4, element.5)) as sessions_state,
    uniqExactArray(element.4) as sessions_viewed_state,
    uniqExactArray(element.5) as sessions_clicked_state,
    max(values_in_field) as values_found_state
from
(
    select
        toDate(created_at) as date,
        if(kept.values_found > 0, own_field.1, '(other)') as field,
        if(has(kept.value_hashes, sipHash64(own_field.2)), own_field.2, '(other)') as value,
        toString(element_id) as element_found,
        countIf(type = 'view') as views,
        countIf(type = 'click') as clicks,
        groupUniqArrayIf(sipHash64(session_id), type = 'view') as viewed,
        groupUniqArrayIf(sipHash64(session_id), type = 'click') as clicked,
        max(kept.values_found) as values_in_field
    from events
    array join own_fields as own_field
    any left join
    (
        select
            date_found,
            field_found,
            values_found,
            if(
                values_found <= {max_distinct:UInt32} or field_found in {always:Array(String)},
                arrayMap(
                    counted -> sipHash64(counted.1),
                    arraySlice(
                        arraySort(counted -> (-toInt64(counted.2), counted.1), most_frequent),
                        1,
                        {max_values:UInt32}
                    )
                ),
                []
            ) as value_hashes
        from
        (
            select
                toDate(created_at) as date_found,
                toString(own_field.1) as field_found,
                uniqExact(own_field.2) as values_found,
                topK(1000, 3, 'counts')(own_field.2) as most_frequent,
                count() as events_found
            from events
            array join own_fields as own_field
            where toDate(created_at) in {days:Array(Date)}
                and not is_bot
            group by
                date_found,
                field_found
            order by
                events_found desc,
                field_found
            limit {max_fields:UInt32} by date_found
        )
    ) as kept on kept.date_found = toDate(created_at) and kept.field_found = toString(own_field.1)
    where toDate(created_at) in {days:Array(Date)}
        and not is_bot
    group by
        date,
        field,
        value,
        element_found
)
array join [
    (element_found, views, clicks, viewed, clicked),
    ('', views, clicks, viewed, clicked)
] as element
group by
    date,
    field,
    value,
    element_id
