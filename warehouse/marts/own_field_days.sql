-- Purpose: what events with a value of an own field did. One row per day, own field, value and element, and one for
-- all elements together.
-- Input: events of people on the days.
--
-- Bounded: of a day's fields, the most frequent are kept, and of a field's values as well. The others are one field
-- or value, (other). A field with very many values, such as the number of an order, has no other value, unless the
-- setting names it.
select
    date,
    if(is_field_kept, field_found, '(other)') as field,
    if(is_field_kept and is_value_kept, value_found, '(other)') as value,
    element.1 as element_id,
    sum(element.2) as views_state,
    sum(element.3) as clicks_state,
    uniqExactArray(arrayConcat(element.4, element.5)) as sessions_state,
    uniqExactArray(element.4) as sessions_viewed_state,
    uniqExactArray(element.5) as sessions_clicked_state,
    max(if(is_field_kept, values_in_field, 0)) as values_found_state
from
(
    select
        date,
        field_found,
        value_found,
        values_in_field,
        dense_rank() over (partition by date order by events_in_field desc, field_found) <= {max_fields:UInt32}
            as is_field_kept,
        value_rank <= {max_values:UInt32}
            and (values_in_field <= {max_distinct:UInt32} or field_found in {always:Array(String)})
            as is_value_kept,
        elements
    from
    (
        select
            date,
            field_found,
            value_found,
            elements,
            count() over (partition by date, field_found) as values_in_field,
            sum(events) over (partition by date, field_found) as events_in_field,
            row_number() over (partition by date, field_found order by events desc, value_found) as value_rank
        from
        (
            select
                date,
                field_found,
                value_found,
                groupArray((element, views, clicks, viewed, clicked)) as elements,
                sum(views + clicks) as events
            from
            (
                select
                    toDate(created_at) as date,
                    own_field.1 as field_found,
                    own_field.2 as value_found,
                    toString(element_id) as element,
                    countIf(type = 'view') as views,
                    countIf(type = 'click') as clicks,
                    groupUniqArrayIf(sipHash64(session_id), type = 'view') as viewed,
                    groupUniqArrayIf(sipHash64(session_id), type = 'click') as clicked
                from events
                array join own_fields as own_field
                where toDate(created_at) in {days:Array(Date)}
                    and not is_bot
                group by
                    date,
                    field_found,
                    value_found,
                    element
            )
            group by
                date,
                field_found,
                value_found
        )
    )
)
array join arrayFlatten(arrayMap(e -> [e, ('', e.2, e.3, e.4, e.5)], elements)) as element
group by
    date,
    field,
    value,
    element_id
