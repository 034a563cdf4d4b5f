-- Purpose: what the pipelines did, and what the expectations said.

-- One row per run of a pipeline.
--
-- Engine: ReplacingMergeTree without a version: a run is written when it starts and again when it ends, and
-- the row written last stands. Read it with FINAL.
-- Key: the run. Partition: month of the start, which never changes for a run.
create table if not exists etl_runs
(
    run_id String comment 'Unique id of the run',
    pipeline LowCardinality(String) comment 'Name of the pipeline, such as process_events',
    status LowCardinality(String) comment 'running, succeeded or failed',
    started_at DateTime64(3, 'UTC') comment 'When it started',
    finished_at Nullable(DateTime64(3, 'UTC')) comment 'When it ended; null while it runs',
    rows_in UInt64 comment 'Received events that it took',
    stored UInt64 comment 'Events that it stored',
    duplicate UInt64 comment 'Events that were already there',
    quarantined UInt64 comment 'Events that were not valid',
    quarantined_by_code Map(String, UInt64) comment 'Invalid events by error code; an event with two codes counts under both',
    days_rebuilt Array(Date) comment 'Days whose marts were rebuilt',
    seconds Float64 comment 'How long it took',
    message String comment 'What it did in one sentence, or why it failed'
)
engine = ReplacingMergeTree
partition by toYYYYMM(started_at)
order by run_id
comment 'Runs of the pipelines, one row per run';

-- One row per expectation that was checked in a run.
--
-- Engine: MergeTree. Key: the time, since the latest results are what is read. Partition: month, so that old
-- results can be dropped.
create table if not exists expectation_results
(
    run_id String comment 'Run that checked it, as in etl_runs',
    checked_at DateTime64(3, 'UTC') comment 'When it was checked',
    scope LowCardinality(String) comment 'row: judges each event; batch: judges the batch as a whole',
    expectation LowCardinality(String) comment 'Type of the expectation, as in Great Expectations',
    field LowCardinality(String) comment 'Field that it judges; empty for the batch as a whole',
    code LowCardinality(String) comment 'Error code that an event earns by breaking it; empty for a batch',
    success Bool comment 'Whether it was met',
    evaluated UInt64 comment 'Rows that it judged',
    unexpected UInt64 comment 'Rows that broke it',
    observed String comment 'What was observed, as text'
)
engine = MergeTree
partition by toYYYYMM(checked_at)
order by (checked_at, run_id, scope, expectation, field)
comment 'Results of the expectations, one row per expectation and run';
