"""Dashboards on many events: each chart's request beside its bare query, and the overview in a browser."""

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Browser, Page

from benchmarks.dashboard_page import (
    DATA_PATH,
    charts_of,
    open_browser,
    open_dashboard,
    seconds_to_draw,
    signed_in,
    tabs_of,
)
from benchmarks.samples import CHART_QUERY, CHART_REQUEST, DASHBOARD_OPENED, Extent, Sample
from clickstream.settings import Settings, SupersetSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.marts import days_between, rebuild_days
from dashboards.files import Document, read_assets
from stack.isolated import isolated_stack

DAYS: Final = 90
USERS: Final = 300_000
KNOWN_USERS: Final = 100_000
"""Of all users, those with a country."""

DEFAULT_RANGE: Final = "30 days"
WHOLE_RANGE: Final = f"{DAYS} days"

_ORIGIN: Final = "benchmark"
_EVENTS_A_STATEMENT: Final = 2_000_000
_EVENTS_A_BAD_ONE: Final = 100
_OVERVIEW: Final = "overview"
_WINDOW: Final = (1600, 1000)
_HIGH_WINDOW: Final = (1600, 1800)
"""The whole first tab is in sight: what is not does not load."""

_PATIENCE_SECONDS: Final = 300.0
_POLL_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class ChartTimes:
    """How long one chart takes over some days, the best of all rounds.

    Attributes:
        chart: Its slug.
        days: Over which days.
        request_ms: Its request to Superset, past the cache.
        query_ms: The query of that request, asked of ClickHouse by the user that Superset is.
    """

    chart: str
    days: str
    request_ms: float
    query_ms: float

    @property
    def name(self) -> str:
        """The chart and the days."""
        return f"{self.chart}, {self.days}"


def measure_dashboards(directory: Path, extent: Extent) -> list[Sample]:
    """Fills a warehouse, asks for each chart as the viewer does, and opens the overview in new browsers."""
    with isolated_stack(directory, ("clickhouse", "superset")) as stack:
        fill_warehouse(connect(stack.settings.clickhouse, Role.WRITER), extent.dashboard_events)
        return measure_filled(stack.settings, extent.rounds)


def measure_filled(settings: Settings, rounds: int) -> list[Sample]:
    """What `measure_dashboards` does once the warehouse is filled."""
    client = connect(settings.clickhouse, Role.READER)
    with open_browser() as browser:
        with signed_in(browser, settings.superset) as page:
            times = _time_charts(page, client, rounds)
        overview = read_assets().dashboards[_OVERVIEW]
        charts = charts_of(overview, tabs_of(overview)[0])
        alone = sum(item.query_ms for item in times if item.days == DEFAULT_RANGE and item.chart in charts)
        openings = [
            _open_twice(browser, settings.superset, overview["slug"], len(charts), alone / 1000)
            for _ in range(rounds)
        ]
    return [*samples_of(times), *openings]


def fill_warehouse(client: Client, events: int) -> None:
    """Puts events and bad ones straight into the tables, as if they had come and been processed."""
    for start in range(0, events, _EVENTS_A_STATEMENT):
        span = {"from": start, "events": min(_EVENTS_A_STATEMENT, events - start)}
        client.command(_load_sql("fill_events"), parameters={"days": DAYS, "users": USERS, **span})
        client.command(_load_sql("fill_receipts"), parameters={"table": "events", **span})
    bad = {"from": events, "events": events // _EVENTS_A_BAD_ONE}
    client.command(_load_sql("fill_quarantine"), parameters={"days": DAYS, **bad})
    client.command(_load_sql("fill_receipts"), parameters={"table": "quarantined_events", **bad})
    last = events + bad["events"] - 1
    client.insert("etl_progress", [[_ORIGIN, last]], column_names=["origin", "offset"])
    client.command(_load_sql("fill_users"), parameters={"users": KNOWN_USERS})
    rebuild_days(client, days_between(client, date.min, date.max))
    _wait_for_merges(client)


def _wait_for_merges(client: Client) -> None:
    """Waits until ClickHouse has put together what came in parts, which it does beside all else."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while int(client.query("select count() from system.merges").result_rows[0][0]):
        if time.monotonic() > deadline:
            raise SystemExit("ClickHouse is still merging what was filled in, and it gets late.")
        time.sleep(_POLL_SECONDS)


def samples_of(times: Sequence[ChartTimes]) -> list[Sample]:
    """The slowest query and the slowest request, each by name, and with them all the others."""
    query = max(times, key=lambda item: item.query_ms)
    request = max(times, key=lambda item: item.request_ms)
    parts = {item.name: {"request ms": item.request_ms, "query ms": item.query_ms} for item in times}
    return [
        Sample(CHART_QUERY, query.query_ms, about=query.name),
        Sample(CHART_REQUEST, request.request_ms, request.query_ms, about=request.name, parts=parts),
    ]


def over_days(body: Document, value: str) -> Document:
    """A chart's request over other days, if it has a range at all."""
    changed = copy.deepcopy(body)
    for query in changed["queries"]:
        for item in query["filters"]:
            if item["op"] == "TEMPORAL_RANGE":
                item["val"] = value
    return changed


def _time_charts(page: Page, client: Client, rounds: int) -> list[ChartTimes]:
    """Opens every dashboard to see what its charts ask for, and asks again without the browser."""
    assets = read_assets()
    today = datetime.now(UTC).date()
    whole_range = f"{today - timedelta(days=DAYS)} : {today}"
    times = []
    with _session(page) as session:
        slugs = _slugs(session, {document["title"]: slug for slug, document in assets.charts.items()})
        asked: dict[str, Document] = {}
        for dashboard in assets.dashboards.values():
            asked |= open_dashboard(page, dashboard["slug"], slugs, _WINDOW).asked
        for chart, body in sorted(asked.items()):
            fresh = {**body, "force": True}
            times.append(_time_chart(session, client, chart, DEFAULT_RANGE, fresh, rounds))
            if (over_all := over_days(fresh, whole_range)) != fresh:
                times.append(_time_chart(session, client, chart, WHOLE_RANGE, over_all, rounds))
    return times


def _time_chart(
    session: httpx.Client, client: Client, chart: str, days: str, body: Document, rounds: int
) -> ChartTimes:
    queries = [result["query"] for result in _ask(session, {**body, "result_type": "query"})]
    return ChartTimes(
        chart,
        days,
        _best_ms(lambda: _ask(session, body), rounds),
        _best_ms(lambda: [client.query(query) for query in queries], rounds),
    )


def _best_ms(act: Callable[[], object], rounds: int) -> float:
    """The milliseconds of the fastest time."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        act()
        found.append((time.perf_counter() - start) * 1000)
    return min(found)


@contextmanager
def _session(page: Page) -> Iterator[httpx.Client]:
    """Whoever has signed in on a page, without the browser."""
    url = page.evaluate("location.origin")
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    with httpx.Client(
        base_url=url,
        cookies=cookies,
        headers={"Referer": url},
        timeout=_PATIENCE_SECONDS,
        trust_env=False,
    ) as session:
        session.headers["X-CSRFToken"] = _result(session.get("/api/v1/security/csrf_token/"))
        yield session


def _slugs(session: httpx.Client, by_title: Mapping[str, str]) -> dict[int, str]:
    """The slug of each chart by the id that Superset has given to it."""
    charts: Iterable[Document] = _result(session.get("/api/v1/chart/?q=(page_size:1000)"))
    return {chart["id"]: by_title[chart["slice_name"]] for chart in charts}


def _ask(session: httpx.Client, body: Document) -> list[Document]:
    results: list[Document] = _result(session.post(DATA_PATH, json=body))
    return results


def _result(answer: httpx.Response) -> Any:
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"Superset answered {answer.status_code} at {answer.url}: {answer.text[:500]}")
    return answer.json()["result"]


def _open_twice(browser: Browser, superset: SupersetSettings, slug: str, charts: int, alone: float) -> Sample:
    """Opens a dashboard with nothing in the browser's cache but what the pages before it need, and again."""
    with signed_in(browser, superset) as page:
        page.set_viewport_size({"width": _HIGH_WINDOW[0], "height": _HIGH_WINDOW[1]})
        first, again = (seconds_to_draw(page, slug, charts) for _ in range(2))
    return Sample(DASHBOARD_OPENED, again, alone, {"first s": first, "charts": charts})


def _load_sql(name: str) -> str:
    return (Path(__file__).parent / f"{name}.sql").read_text(encoding="utf-8")
