"""With a service away, its part of the page says so, and the rest is there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil
import pytest
from playwright.sync_api import Page, expect

from stack.lifecycle import Stack
from tests.e2e.panel.panel import FAILED, WELL, Panel, open_page
from tests.waiting import wait_until


@contextmanager
def stopped(stack: Stack, name: str) -> Iterator[None]:
    supervisor = stack.supervisor
    supervisor.stop_process(name)
    wait_until(lambda: supervisor.processes()[name].pid == 0, f"{name} is stopped")
    try:
        yield
    finally:
        supervisor.start_process(name)


_CLICKHOUSE_AWAY = "ClickHouse does not answer"
_AWAY = {
    "clickhouse": [
        ("/", "Overview", _CLICKHOUSE_AWAY),
        ("/upload", "Upload CSV", _CLICKHOUSE_AWAY),
        ("/quality", "Data quality", _CLICKHOUSE_AWAY),
        ("/quality?quality+part=Expectations", "Data quality", _CLICKHOUSE_AWAY),
        ("/events", "Events", _CLICKHOUSE_AWAY),
        ("/events?view=look-up&kind=id&what=1", "Events", _CLICKHOUSE_AWAY),
        ("/privacy", "Privacy", _CLICKHOUSE_AWAY),
        ("/reports", "Reports", _CLICKHOUSE_AWAY),
    ],
    "mage": [("/pipelines", "Pipelines", "Mage does not answer"), ("/", "Overview", "mage is stopped")],
    "generator": [
        ("/generators", "Generators", "The live generators can't be shown"),
        ("/", "Overview", "generator is stopped"),
    ],
    "kafka": [("/", "Overview", "kafka is stopped")],
    "api": [("/", "Overview", "api is stopped")],
    "exporter": [("/", "Overview", "The exporter does not answer")],
}
"""The pages to which a service matters, and what each says without it."""


@pytest.mark.parametrize("service", list(_AWAY))
def test_pages_say_what_is_away_and_come_back(page: Page, panel: Panel, service: str) -> None:
    with stopped(panel.stack, service):
        for path, title, said in _AWAY[service]:
            open_page(page, path, title)
            expect(page.get_by_text(said).first).to_be_visible()
            expect(page.get_by_text(FAILED)).to_have_count(0)
            expect(page.get_by_text("Traceback")).to_have_count(0)

    for path, title, said in _AWAY[service]:
        open_page(page, path, title)
        expect(page.get_by_text(said)).to_have_count(0)


def test_an_open_overview_does_not_call_all_well_beside_an_outage(page: Page, panel: Panel) -> None:
    open_page(page, "/", "Overview")
    expect(page.get_by_role("heading", name="Ledger")).to_be_visible()

    with stopped(panel.stack, "clickhouse"):
        expect(page.get_by_text(_CLICKHOUSE_AWAY).first).to_be_visible()
        expect(page.get_by_test_id("stMain").get_by_text(WELL)).to_have_count(0, timeout=1_000)


def test_an_event_that_can_not_be_sent_says_why(page: Page, panel: Panel) -> None:
    with stopped(panel.stack, "api"):
        open_page(page, "/events?view=send", "Events")
        page.get_by_role("button", name="Send and follow").click()
        expect(page.get_by_text("The API does not answer")).to_be_visible()


def test_prometheus_is_said_to_be_away_where_it_does_not_run(page: Page) -> None:
    open_page(page, "/monitoring", "Monitoring")

    expect(page.get_by_text("Prometheus does not answer").first).to_be_visible()
    expect(page.get_by_text(FAILED)).to_have_count(0)


def test_a_database_that_hangs_keeps_no_page_waiting(page: Page, panel: Panel) -> None:
    waits = page.get_by_text("waiting for an answer")
    # What it says once the watchdog has restarted the gateway, or the question has taken too long.
    gave_up = page.get_by_text(_CLICKHOUSE_AWAY)
    open_page(page, "/generators", "Generators")
    gateway = psutil.Process(panel.stack.supervisor.processes()["clickhouse"].pid)
    gateway.suspend()
    try:
        begin = time.monotonic()
        # Nobody has asked for this event, so there is no earlier answer to show.
        open_page(page, "/events?view=look-up&kind=id&what=4711", "Events")
        seconds = time.monotonic() - begin
        expect(waits.or_(gave_up).first).to_be_visible()
    finally:
        with suppress(psutil.NoSuchProcess):
            gateway.resume()

    assert seconds < 15
    expect(waits).to_have_count(0)
    expect(gave_up).to_have_count(0)


def answers(panel: Panel) -> bool:
    """Whether it answers at all; without a session it may lead elsewhere or refuse."""
    try:
        httpx.get(panel.url, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def test_the_panel_comes_back_by_itself_and_stops_nothing(page: Page, panel: Panel) -> None:
    open_page(page, "/", "Overview")
    supervisor = panel.stack.supervisor
    before = {name: info.pid for name, info in supervisor.processes().items() if name != "panel"}
    old = psutil.Process(supervisor.processes()["panel"].pid)
    old.kill()
    wait_until(lambda: supervisor.processes()["panel"].pid not in (0, old.pid), "the panel runs again")

    wait_until(lambda: answers(panel), "the panel answers again")

    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    assert {name: info.pid for name, info in supervisor.processes().items() if name != "panel"} == before
