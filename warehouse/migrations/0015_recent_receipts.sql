-- Purpose: what arrived in the last minutes is found without reading the receipts of all history: rows of an origin
-- lie in the order of their offsets, and so nearly in that of their receipt.

alter table raw_events add index if not exists received_at_range received_at type minmax granularity 4;

alter table raw_events materialize index received_at_range;
