-- Purpose: what Great Expectations found in each run.
-- One row per run and expectation. Input: expectation_results.
create or replace view expectation_outcomes
(
    checked_at DateTime64(3, 'UTC') comment 'When it was checked (UTC)',
    run_id String comment 'Run that checked it',
    scope String comment 'row judges each event, batch judges the batch as a whole',
    expectation String comment 'Type of the expectation, as in Great Expectations',
    field String comment 'Field that it judges; empty for the batch as a whole',
    code String comment 'Error code that an event earns by breaking it; empty for a batch',
    severity String comment 'error: a row that breaks it is quarantined; warning: a row is stored without the value, a batch as it is',
    is_met UInt8 comment '1 if it was met',
    evaluated UInt64 comment 'Rows that it judged',
    unexpected UInt64 comment 'Rows that broke it'
)
as
select
    checked_at,
    run_id,
    scope,
    expectation,
    field,
    code,
    severity,
    toUInt8(success) as is_met,
    evaluated,
    unexpected
from expectation_results
