-- Purpose: a loaded file is listed by its name, whether or not a report on it was made.

-- One row per file that was loaded.
--
-- Engine: ReplacingMergeTree by time: the name under which the file was loaded last stands for it. Read it with FINAL.
-- Key: the file. Partition: none, there are few rows.
create table if not exists file_names
(
    origin String comment 'The file, as in raw_events: csv/<sha256>',
    name String comment 'Name of the file without its folder',
    loaded_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When the load began'
)
engine = ReplacingMergeTree(loaded_at)
order by origin
comment 'Names of loaded files, one row per file';
