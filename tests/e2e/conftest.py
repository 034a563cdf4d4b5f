"""A real browser against a running stack."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.dashboard_page import open_browser
from stack.isolated import isolated_stack
from tests.e2e.site import Site
from tests.integration.api.service import ApiStack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    arguments = (
        # The names of the guide to a site of one's own, which nobody else has.
        "--host-resolver-rules=MAP *.shop.example 127.0.0.1",
        # Pages that stand for a site on the internet may reach this machine without asking the visitor.
        "--disable-features=LocalNetworkAccessChecks,HttpsUpgrades",
    )
    with open_browser(*arguments) as running:
        yield running


@pytest.fixture(scope="package")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiStack]:
    with isolated_stack(tmp_path_factory.mktemp("browser"), ("api", "stream_events")) as stack:
        running = ApiStack(stack)
        with running.client:
            yield running


@pytest.fixture
def context(browser: Browser, api: ApiStack) -> Iterator[BrowserContext]:
    """A browser that has never been here."""
    fresh = browser.new_context(base_url=api.url, viewport={"width": 1200, "height": 800})
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def site(api: ApiStack, context: BrowserContext) -> Iterator[Site]:
    with api.records() as read:
        yield Site(context, read, api.settings.broker.topic)
