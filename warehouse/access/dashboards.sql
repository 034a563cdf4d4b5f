-- Purpose: what Superset's user may read: the views behind the datasets in superset/assets, and what these read
-- in turn. Of tables with personal data these are only columns that say when, whence and whether, so this user
-- reaches no body, address, name, user agent or URL of an event.
-- `{database}` stands for the database of the setting `clickhouse.database`.
--
-- Views keep the rights of whoever reads them. With `sql security definer` these grants would shrink to the views
-- alone, but each view would then take a snapshot of its own, and `completeness` would not be of one moment.

-- Views of the datasets.
grant select on {database}.active_users_of;
grant select on {database}.arrivals;
grant select on {database}.bot_traffic;
grant select on {database}.completeness;
grant select on {database}.daily_active_users;
grant select on {database}.element_conversion;
grant select on {database}.event_warnings;
grant select on {database}.expectation_outcomes;
grant select on {database}.last_full_day_of;
grant select on {database}.lateness;
grant select on {database}.ledger;
grant select on {database}.own_field_elements;
grant select on {database}.own_fields;
grant select on {database}.page_views;
grant select on {database}.quarantined_by_code;
grant select on {database}.recent_receipts;
grant select on {database}.segment_activity;
grant select on {database}.segment_click_positions;
grant select on {database}.segment_funnel;
grant select on {database}.segment_users;
grant select on {database}.segment_visits;
grant select on {database}.session_durations;
grant select on {database}.session_durations_of;
grant select on {database}.session_spans;
grant select on {database}.session_spans_of;
grant select on {database}.visit_sources;

-- Marts and summaries, which hold no personal data.
grant select on {database}.active_user_days;
grant select on {database}.activity_hours;
grant select on {database}.arrival_days;
grant select on {database}.bot_days;
grant select on {database}.click_position_days;
grant select on {database}.daily_users;
grant select on {database}.element_days;
grant select on {database}.own_field_days;
grant select on {database}.page_days;
grant select on {database}.session_days;
grant select on {database}.session_start_days;
grant select on {database}.visit_days;
grant select on {database}.visit_source_days;

-- What the ledger and the quality views count.
grant select on {database}.etl_progress;
grant select on {database}.expectation_results;
grant select on {database}.pending_origins;
grant select (source, origin, offset, received_at) on {database}.raw_events;
grant select (source, origin, offset, received_at, warnings, warning_fields) on {database}.events;
grant select (source, origin, offset, received_at) on {database}.duplicate_events;
grant select (source, origin, offset, item, received_date) on {database}.erased_events;
grant select (source, origin, offset, received_at, reasons, replayed_at) on {database}.quarantined_events;
