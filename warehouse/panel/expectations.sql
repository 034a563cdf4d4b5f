-- Purpose: how each expectation did in the last runs. One row per expectation, those that were broken most first.
-- Input: expectation_outcomes, of the last {days} days.
select
    scope,
    expectation,
    field,
    code,
    severity,
    sum(evaluated) as evaluated_total,
    sum(unexpected) as unexpected_total,
    max(checked_at) as last_checked_at,
    argMax(is_met, checked_at) as is_met_now,
    arrayMap(one -> one.2, arraySort(groupArray((checked_at, unexpected)))) as trend
from (
    select
        scope,
        expectation,
        field,
        code,
        severity,
        evaluated,
        unexpected,
        checked_at,
        is_met
    from expectation_outcomes
    where checked_at >= now() - toIntervalDay({days:UInt32})
    order by checked_at desc
    limit 40 by
        scope,
        expectation,
        field,
        code
)
group by
    scope,
    expectation,
    field,
    code,
    severity
order by
    unexpected_total desc,
    scope,
    field,
    expectation
