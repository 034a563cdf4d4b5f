-- Purpose: what a load has found out about its file, beyond what the other tables hold, stays in the history of loads.

-- One row per file whose report was made.
--
-- Engine: ReplacingMergeTree by time: a report made again takes the place of the former. Read it with FINAL.
-- Key: the file. Partition: none, there are few rows.
create table if not exists file_reports
(
    origin String comment 'The file, as in raw_events: csv/<sha256>',
    name String comment 'Name of the file without its folder',
    same_content Nullable(UInt64) comment 'Duplicates whose content is that of the stored event',
    other_content Nullable(UInt64) comment 'Duplicates whose content differs from that of the stored event',
    reported_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When the report was made'
)
engine = ReplacingMergeTree(reported_at)
order by origin
comment 'Reports on loaded files, one row per file';
