-- Purpose: when the last event was received is known from a row a part, too, however much history there is.

alter table raw_events add projection if not exists last_receipt
(
    select max(received_at)
);

-- Parts without it are read row by row until the engine has written it, which it does beside all else.
alter table raw_events materialize projection last_receipt;
