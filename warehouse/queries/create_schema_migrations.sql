-- Purpose: which migrations are applied. One row per migration.
--
-- Engine: ReplacingMergeTree, since two that migrate at once write the same row. Key: the name.
-- Partition: none, there are few rows.
create table if not exists schema_migrations
(
    name String comment 'Name of the file in warehouse/migrations without its suffix',
    checksum String comment 'SHA-256 of the file, in hex',
    applied_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was applied'
)
engine = ReplacingMergeTree
order by name
comment 'Migrations that are applied, one row per migration'
