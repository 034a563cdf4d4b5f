"""A real browser against a running stack."""

import shutil
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from stack.isolated import isolated_stack
from tests.integration.api.service import ApiStack

_ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.fail("Chromium is missing: install it (Debian, Ubuntu: apt-get install chromium).")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield running
        running.close()


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
