"""One running stack for all tests of the panel, and browsers in which an account has signed in."""

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.dashboard_page import PATIENCE_MS
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from stack.services import SERVICES
from tests.e2e.panel.panel import Panel

_NEEDED: Final = ("panel", "clickhouse", "kafka", "api", "mage", "stream_events", "generator", "exporter")


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    there = {service.name for service in SERVICES}
    services = tuple(name for name in _NEEDED if name in there)
    with isolated_stack(tmp_path_factory.mktemp("panel"), services) as running:
        yield running


@pytest.fixture(scope="package")
def panel(stack: Stack) -> Panel:
    return Panel(stack)


def _signed_in(browser: Browser, panel: Panel, name: str) -> BrowserContext:
    context = browser.new_context(base_url=panel.url, viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    panel.sign_in(context.new_page(), name)
    return context


@pytest.fixture(scope="package")
def operator(browser: Browser, panel: Panel) -> Iterator[BrowserContext]:
    context = _signed_in(browser, panel, "operator")
    yield context
    context.close()


@pytest.fixture(scope="package")
def viewer(browser: Browser, panel: Panel) -> Iterator[BrowserContext]:
    context = _signed_in(browser, panel, "viewer")
    yield context
    context.close()


@pytest.fixture
def page(operator: BrowserContext) -> Iterator[Page]:
    """A page of the operator's browser."""
    fresh = operator.new_page()
    yield fresh
    fresh.close()
