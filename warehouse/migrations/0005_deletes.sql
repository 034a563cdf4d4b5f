-- Purpose: rows can be deleted, as someone may demand for what is known of them: `delete from events where …`,
-- then `rebuild_marts` for their days.

-- Without it the engine refuses to delete, because of the projections.
alter table raw_events modify setting lightweight_mutation_projection_mode = 'rebuild';
alter table events modify setting lightweight_mutation_projection_mode = 'rebuild';

-- Rows that were deleted may come again, and must not be dropped for being the same as ones that were there
-- once. Who inserts into these tables has looked up what is there.
alter table events modify setting non_replicated_deduplication_window = 0;
alter table duplicate_events modify setting non_replicated_deduplication_window = 0;
