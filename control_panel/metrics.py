"""The panel's metrics: each a constant, with labels from closed lists."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)

REQUESTS: Final = Counter(
    "clickstream_panel_requests_total",
    "Requests answered, the opening of pages' connections included.",
    ("route", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "clickstream_panel_request_duration_seconds",
    "From the head of a request to the end of its answer.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
    registry=REGISTRY,
)
OPEN_PAGES: Final = Gauge(
    "clickstream_panel_open_pages", "Pages that are open in browsers right now.", registry=REGISTRY
)
PAGE_FAILURES: Final = Counter(
    "clickstream_panel_page_failures_total",
    "Times that a page failed and showed a sentence instead.",
    registry=REGISTRY,
)
SIGN_IN_FAILURES: Final = Counter(
    "clickstream_panel_sign_in_failures_total",
    "Sign-ins with a wrong name or password.",
    registry=REGISTRY,
)
