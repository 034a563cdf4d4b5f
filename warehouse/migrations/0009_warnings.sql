-- Purpose: an optional value that cannot be used does not cost the event: it is stored without the value and says so.

alter table events add column if not exists warnings Array(LowCardinality(String)) default [] comment 'Error codes of the values that the event was stored without' after payload;
alter table events add column if not exists warning_fields Array(LowCardinality(String)) default [] comment 'The field of each warning, in the order of warnings' after warnings;
alter table expectation_results add column if not exists severity LowCardinality(String) default if(scope = 'batch', 'warning', 'error') comment 'error: a row that breaks it is quarantined; warning: a row is stored without the value, a batch as it is' after code;
