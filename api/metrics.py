"""The service's metrics: each a constant, with labels from closed lists."""

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from api.refusals import RefusalCode
from api.senders import EventSource
from clickstream.contract import FIELDS, Severity
from clickstream.reasons import ErrorCode

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

REQUESTS: Final = Counter(
    "clickstream_api_requests_total",
    "Requests answered.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "clickstream_api_request_duration_seconds",
    "From the head of a request to the end of its answer; for events, the broker's acknowledgement included.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
REQUESTS_IN_PROGRESS: Final = Gauge(
    "clickstream_api_requests_in_progress", "Requests that are being answered.", registry=REGISTRY
)
_ACCEPTED: Final = Counter(
    "clickstream_api_events_accepted_total",
    "Events that were accepted and acknowledged by the broker.",
    ("source",),
    registry=REGISTRY,
)
_REJECTED: Final = Counter(
    "clickstream_api_events_rejected_total",
    "Events that break the contract and went to the quarantine.",
    ("source",),
    registry=REGISTRY,
)
_ERRORS: Final = Counter(
    "clickstream_api_event_errors_total",
    "Rules that rejected events broke; an event may break several.",
    ("code",),
    registry=REGISTRY,
)
_WARNINGS: Final = Counter(
    "clickstream_api_event_warnings_total",
    "Values of accepted events that could not be used; the events are stored without them.",
    ("field", "code"),
    registry=REGISTRY,
)
_REFUSALS: Final = Counter(
    "clickstream_api_refusals_total", "Requests refused as a whole.", ("code",), registry=REGISTRY
)
BODY_BYTES: Final = Counter(
    "clickstream_api_body_bytes_total", "Bodies of events, decompressed.", registry=REGISTRY
)
_RECORDS: Final = Counter(
    "clickstream_api_records_delivered_total",
    "Records that the broker acknowledged.",
    ("kind",),
    registry=REGISTRY,
)
BROKER_UP: Final = Gauge(
    "clickstream_api_broker_up", "1 while there is a connection to the broker.", registry=REGISTRY
)
BROKER_DELIVERY_SECONDS: Final = Histogram(
    "clickstream_api_broker_delivery_duration_seconds",
    "From the sending of a batch of records to the broker's acknowledgement.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)

# Looking a label up takes longer than counting, so each series is looked up once.
ACCEPTED: Final[Mapping[EventSource, Counter]] = {source: _ACCEPTED.labels(source) for source in EventSource}
REJECTED: Final[Mapping[EventSource, Counter]] = {source: _REJECTED.labels(source) for source in EventSource}
EVENT_ERRORS: Final[Mapping[ErrorCode, Counter]] = {code: _ERRORS.labels(code.value) for code in ErrorCode}
EVENT_WARNINGS: Final[Mapping[tuple[str, ErrorCode], Counter]] = {
    (field.name, code): _WARNINGS.labels(field.name, code.value)
    for field in FIELDS
    if field.severity is Severity.WARNING
    for code in field.value_codes
}
REFUSALS: Final[Mapping[RefusalCode, Counter]] = {code: _REFUSALS.labels(code.value) for code in RefusalCode}
RECORDS: Final[Mapping[bool, Counter]] = {True: _RECORDS.labels("events"), False: _RECORDS.labels("rejected")}
"""By whether they are events; the others are rejects."""
