-- Purpose: how long each step of a run took, so that monitoring shows which one grows.
alter table etl_runs
    add column if not exists step_seconds Map(LowCardinality(String), Float64)
    comment 'Seconds that each step took, by the name of its block; empty for pipelines of one step'
    after seconds;
