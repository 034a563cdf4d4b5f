-- Purpose: what became of each received event: stored, a duplicate or quarantined; and the users.

-- One row per distinct valid event.
--
-- Engine: MergeTree. Ids are distinct because the one writer looks them up before it inserts.
-- Key: the day, then the session. A day is a range of the key, which is what a mart reads; a session's rows
-- lie together, so the texts that repeat within it (session, address, user agent) compress to a third of what
-- they take in the order of time.
-- Partition: month. Days would make an insert of old events dozens of parts; months are few, and still allow
-- old data to be dropped at once.
-- Payload: made from a text by the engine's cast, since that obeys the settings of the insert; the readers of
-- the formats do not, and would refuse {"a.b": 1, "a": {"b": 2}} together with the whole batch.
-- Projection: the counts of the ledger from a few rows a part.
create table if not exists events
(
    id UInt64 comment 'Unique id: sent, or a hash of the content',
    type LowCardinality(String) comment 'view or click',
    created_at DateTime64(3, 'UTC') comment 'When it happened' codec(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') comment 'When the system received it' codec(Delta, ZSTD(1)),
    session_id String comment 'Session of the user' codec(ZSTD(1)),
    ip String comment 'Address of the device, IPv4 or IPv6; empty if unknown' codec(ZSTD(1)),
    user_id UInt64 comment 'User, as in users' codec(ZSTD(1)),
    url String comment 'Page as sent: a full URL or a path' codec(ZSTD(1)),
    url_host LowCardinality(String) comment 'Host of the page; empty if only a path was sent',
    url_path LowCardinality(String) comment 'Path of the page without query and fragment; / if empty',
    referrer String comment 'URL that the user came from; empty if unknown' codec(ZSTD(1)),
    device_type LowCardinality(String) comment 'desktop, mobile or tablet',
    user_agent String comment 'User-Agent of the browser; empty if unknown' codec(ZSTD(1)),
    event_title LowCardinality(String) comment 'Name of the event, such as checkout',
    element_id LowCardinality(String) comment 'CSS identifier of the element, such as #submit-button',
    x Nullable(UInt32) comment 'Position of the click in pixels from the left; null for a view without one' codec(ZSTD(1)),
    y Nullable(UInt32) comment 'Position of the click in pixels from the top; null for a view without one' codec(ZSTD(1)),
    payload_text String ephemeral '{}' comment 'JSON text from which an insert makes the payload; not stored, can not be read',
    payload JSON(max_dynamic_paths = 64, max_dynamic_types = 8) default payload_text::JSON(max_dynamic_paths = 64, max_dynamic_types = 8) comment 'The whole payload, custom fields among it' codec(ZSTD(1)),
    source LowCardinality(String) comment 'How it arrived, as in raw_events',
    origin LowCardinality(String) comment 'What it was read from, as in raw_events',
    offset UInt64 comment 'Offset of its record, as in raw_events' codec(Delta, ZSTD(1)),
    item UInt32 comment 'Place in the record, as in raw_events' codec(Delta, ZSTD(1)),
    stored_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was written to this table' codec(Delta, ZSTD(1)),
    projection by_receipt
    (
        select
            source,
            toDate(received_at),
            count()
        group by
            source,
            toDate(received_at)
    )
)
engine = MergeTree
partition by toYYYYMM(created_at)
order by (toDate(created_at), session_id, created_at, id)
settings non_replicated_deduplication_window = 1000
comment 'Distinct valid events, one row per event';

-- One row per received event whose id is stored under another coordinate.
--
-- Engine: MergeTree; the one writer asks which rows are known before it inserts.
-- Key: the coordinate, so that the rows of a range of offsets are found at once. Partition: month of the
-- receipt, so that it can be dropped together with old data.
create table if not exists duplicate_events
(
    id UInt64 comment 'Id of the event',
    source LowCardinality(String) comment 'How the duplicate arrived, as in raw_events',
    origin LowCardinality(String) comment 'What the duplicate was read from, as in raw_events',
    offset UInt64 comment 'Offset of its record, as in raw_events' codec(Delta, ZSTD(1)),
    item UInt32 comment 'Place in the record, as in raw_events' codec(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') comment 'When the duplicate was received' codec(Delta, ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was written to this table' codec(Delta, ZSTD(1))
)
engine = MergeTree
partition by toYYYYMM(received_at)
order by (origin, offset, item)
settings non_replicated_deduplication_window = 1000
comment 'Received events whose id was already stored, one row per received event';

-- One row per received event that is not valid.
--
-- Engine: ReplacingMergeTree without a version: the row written last stands for its coordinate, so that
-- marking a row as replayed is an insert. Read it with FINAL.
-- Key: the coordinate. Partition: month of the receipt, which never changes for a coordinate.
create table if not exists quarantined_events
(
    source LowCardinality(String) comment 'How it arrived, as in raw_events',
    origin LowCardinality(String) comment 'What it was read from, as in raw_events',
    offset UInt64 comment 'Offset of its record, as in raw_events' codec(Delta, ZSTD(1)),
    item UInt32 comment 'Place in the record, as in raw_events' codec(Delta, ZSTD(1)),
    received_at DateTime64(3, 'UTC') comment 'When the system received it' codec(Delta, ZSTD(1)),
    body String comment 'The event as received, as in raw_events' codec(ZSTD(1)),
    reasons Array(LowCardinality(String)) comment 'Error codes, each once',
    errors Array(Tuple(code String, field String, message String, value String)) comment 'What is wrong with it: code, field, what is allowed, what was received' codec(ZSTD(1)),
    quarantined_at DateTime64(3, 'UTC') default now64(3, 'UTC') comment 'When it was written to this table',
    replayed_at Nullable(DateTime64(3, 'UTC')) comment 'When it was sent again; null if it was not'
)
engine = ReplacingMergeTree
partition by toYYYYMM(received_at)
order by (origin, offset, item)
comment 'Invalid events with what is wrong with them, one row per received event';

-- One row per user.
--
-- Engine: ReplacingMergeTree: a user written again replaces the former row; read it with FINAL.
-- Key: the id. Partition: none, all of it is read at once.
create table if not exists users
(
    id UInt64 comment 'Unique id of the user',
    fio String comment 'Full name',
    country LowCardinality(String) comment 'ISO 3166-1 alpha-2 code of the country'
)
engine = ReplacingMergeTree
order by id
comment 'Users, one row per user';
