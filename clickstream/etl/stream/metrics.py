"""The metrics of the stream; the reference page of monitoring lists them."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

RECORDS: Final = Counter(
    "clickstream_stream_records", "Records taken from the broker and dealt with.", ["topic"]
)
ROWS: Final = Counter("clickstream_stream_rows", "Rows inserted into raw_events.", ["source"])
DEFECTS: Final = Counter(
    "clickstream_stream_defective_rows", "Rows of records that can't be taken apart.", ["code"]
)
KNOWN_RECORDS: Final = Counter(
    "clickstream_stream_known_records", "Records left out, since their rows are stored already."
)
FAILURES: Final = Counter(
    "clickstream_stream_failures", "Failures, each of which is followed by another try.", ["stage"]
)
PAUSE: Final = Gauge(
    "clickstream_stream_retry_pause_seconds", "The pause before the next try; 0 while all goes well."
)
HELD_RECORDS: Final = Gauge("clickstream_stream_held_records", "Records read but not stored yet.")
LAG: Final = Gauge(
    "clickstream_stream_lag_records",
    "Records in the topic that are not stored yet, as the broker counts them.",
    ["topic", "partition"],
)
ASSIGNED: Final = Gauge("clickstream_stream_assigned_partitions", "Partitions that this process reads.")
BROKER_UP: Final = Gauge("clickstream_stream_broker_up", "Whether the broker answered when last asked.")
BATCH: Final = Histogram(
    "clickstream_stream_batch_seconds",
    "Time to take a batch apart and insert it.",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
DELAY: Final = Histogram(
    "clickstream_stream_delay_seconds",
    "From the receipt of the oldest record of a batch to its rows being stored.",
    buckets=(0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300, 1800),
)
STAGES: Final = ("connect", "read", "store", "commit")
"""Values of the label `stage`."""

for _stage in STAGES:
    FAILURES.labels(stage=_stage)
