-- Purpose: views of pages are told apart from views of their elements. The rows of older days get their number when the
-- marts are rebuilt, which `clickstream.etl.upgrade` does before it records this migration.

alter table page_days
    add column if not exists page_views_state SimpleAggregateFunction(sum, UInt64) comment 'Those of the views that are of the page itself, the element html';
alter table page_days_staging
    add column if not exists page_views_state SimpleAggregateFunction(sum, UInt64) comment 'Those of the views that are of the page itself, the element html';

alter table visit_days
    add column if not exists page_views_state SimpleAggregateFunction(sum, UInt64) comment 'Those of the views that are of the page itself, the element html';
alter table visit_days_staging
    add column if not exists page_views_state SimpleAggregateFunction(sum, UInt64) comment 'Those of the views that are of the page itself, the element html';
