-- Purpose: a run says which optional values it could not use.

alter table etl_runs add column if not exists warned UInt64 default 0 comment 'Valid events with an optional value that could not be used; they are stored without it' after quarantined_by_code;
alter table etl_runs add column if not exists warned_by_code Map(String, UInt64) comment 'Unusable optional values by error code' after warned;
