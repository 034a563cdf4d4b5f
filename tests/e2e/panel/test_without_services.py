"""With a service away, its part of the page says so, and the rest is there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
from playwright.sync_api import Page, expect

from stack.lifecycle import Stack
from tests.e2e.panel.panel import FAILED, Panel, open_page
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


@pytest.mark.parametrize(
    ("service", "path", "title", "said"),
    [
        ("clickhouse", "/", "Overview", "ClickHouse does not answer"),
        ("clickhouse", "/reports", "Reports", "ClickHouse does not answer"),
        ("mage", "/pipelines", "Pipelines", "Mage does not answer"),
        ("generator", "/generators", "Generators", "The live generators can't be shown"),
        ("kafka", "/", "Overview", "kafka is stopped"),
    ],
    ids=["clickhouse on overview", "clickhouse on reports", "mage", "generator", "kafka"],
)
def test_a_page_says_what_is_away_and_comes_back(
    page: Page, panel: Panel, service: str, path: str, title: str, said: str
) -> None:
    with stopped(panel.stack, service):
        open_page(page, path, title)
        expect(page.get_by_text(said).first).to_be_visible()
        expect(page.get_by_text(FAILED)).to_have_count(0)
        expect(page.get_by_text("Traceback")).to_have_count(0)

    def is_back() -> bool:
        open_page(page, path, title)
        page.wait_for_timeout(1_000)
        return page.get_by_text(said).count() == 0

    wait_until(is_back, f"{title} is complete again", seconds=120)


def test_a_database_that_hangs_keeps_no_page_waiting(page: Page, panel: Panel) -> None:
    open_page(page, "/generators", "Generators")
    gateway = psutil.Process(panel.stack.supervisor.processes()["clickhouse"].pid)
    gateway.suspend()
    try:
        begin = time.monotonic()
        # Nobody has asked for this event, so there is no earlier answer to show.
        open_page(page, "/events?view=look-up&kind=id&what=4711", "Events")
        seconds = time.monotonic() - begin
        expect(page.get_by_text("waiting for an answer").first).to_be_visible()
    finally:
        gateway.resume()

    assert seconds < 15
    expect(page.get_by_text("waiting for an answer")).to_have_count(0)


def test_the_panel_comes_back_by_itself_and_stops_nothing(page: Page, panel: Panel) -> None:
    open_page(page, "/", "Overview")
    supervisor = panel.stack.supervisor
    before = {name: info.pid for name, info in supervisor.processes().items() if name != "panel"}
    old = psutil.Process(supervisor.processes()["panel"].pid)
    old.kill()
    wait_until(lambda: supervisor.processes()["panel"].pid not in (0, old.pid), "the panel runs again")

    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    assert {name: info.pid for name, info in supervisor.processes().items() if name != "panel"} == before
