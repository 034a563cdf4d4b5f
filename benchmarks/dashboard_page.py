"""Dashboards in a real browser, for the benchmark and the tests."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

from clickstream.settings import SupersetSettings
from dashboards.files import Document, read_assets
from dashboards.layout import nodes

DATA_PATH: Final = "/api/v1/chart/data"
"""Where charts ask for their data."""

PATIENCE_MS: Final = 120_000
"""How long a browser waits for what it is to show; a machine may be busy."""

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_SIGN_INS: Final = 3
_ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# Texts beside the charts have a place of the same class.
_HOLDER: Final = ".dashboard-component-chart-holder:not(.dashboard-markdown *)"
_DRAWN_AT: Final = """([holder, expected]) => {
    const holders = [...document.querySelectorAll(holder)].filter(found => found.checkVisibility());
    const isDrawn = found =>
        found.querySelector('.slice_container :is(canvas, svg, table, .header-line)')
        && !found.querySelector('.loading, [data-test=loading-indicator]');
    return holders.length === expected && holders.every(isDrawn) && performance.now();
}"""
"""When each place for a chart had one that is drawn, on the page's own clock; false until then."""


@dataclass(frozen=True)
class Opened:
    """A dashboard that was opened in a browser.

    Attributes:
        asked: The request for each chart, by its slug.
        failed: Requests that were refused.
        complaints: Errors in the browser's console.
    """

    asked: dict[str, Document]
    failed: list[str]
    complaints: list[str]


@contextmanager
def open_browser(*arguments: str) -> Iterator[Browser]:
    """Chromium without a window, for a while, with further arguments of its command line."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if path is None:
        raise SystemExit("Chromium is missing: install it with `make browser`.")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *arguments]) as browser,
    ):
        yield browser


@contextmanager
def signed_in(browser: Browser, superset: SupersetSettings) -> Iterator[Page]:
    """A page of a browser that has never been here, in which the viewer has signed in."""
    with browser.new_context(base_url=f"http://127.0.0.1:{superset.port}") as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        for _ in range(_SIGN_INS):
            _sign_in(page, superset)
            # Each answer sets the session's cookie: a late one, to the page before, signs out again.
            page.wait_for_load_state("networkidle")
            if page.request.get("/api/v1/me/").ok:
                break
        else:
            raise TimeoutError(f"Superset forgot the session after each of {_SIGN_INS} sign-ins")
        yield page


def _sign_in(page: Page, superset: SupersetSettings) -> None:
    page.goto("/login/", wait_until="networkidle")
    page.locator("input#username, input[name=username]").first.fill(superset.viewer_name)
    password = superset.viewer_password.get_secret_value()
    page.locator("input#password, input[name=password]").first.fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/list/**")


def tabs_of(dashboard: Document) -> list[str]:
    """The titles of the tabs, in order; one empty title where there are none."""
    return [node["tab"] for node in nodes(dashboard["layout"]) if "tab" in node] or [""]


def charts_of(dashboard: Document, tab: str = "") -> list[str]:
    """The slugs of the charts of a dashboard, or of one of its tabs."""
    layout = dashboard["layout"]
    if tab:
        layout = [node for node in nodes(layout) if node.get("tab") == tab]
    return [node["chart"] for node in nodes(layout) if "chart" in node]


def open_dashboard(page: Page, slug: str, slugs: dict[int, str], size: tuple[int, int]) -> Opened:
    """Opens a dashboard and each of its tabs, and waits until every chart is there.

    Args:
        page: Where the viewer has signed in.
        slug: The dashboard's, as in its address.
        slugs: The slug of each chart by its id.
        size: Width and height of the page.

    Raises:
        TimeoutError: A chart has no place, or never asks for its data.
    """
    document = next(item for item in read_assets().dashboards.values() if item["slug"] == slug)
    opened = Opened({}, [], [])

    def note_request(request: Request) -> None:
        if DATA_PATH in request.url:
            body: Any = request.post_data_json
            if (number := body["form_data"].get("slice_id")) in slugs:
                opened.asked[slugs[number]] = body

    def note_response(response: Response) -> None:
        if response.status >= 400:
            opened.failed.append(f"{response.status} {response.request.method} {response.url}")

    # The dashboard that was open before may still be asking for its charts.
    page.goto("about:blank")
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.on("request", note_request)
    page.on("response", note_response)
    page.on("console", lambda message: _note(opened, message.type, message.text))
    page.goto(_address(slug), wait_until="domcontentloaded")
    for tab in tabs_of(document):
        if tab:
            # On a phone the row of tabs moves under the pointer, so another tab could be hit.
            page.locator(".ant-tabs-tab", has_text=tab).first.dispatch_event("click")
        _wait_for_charts(page, opened, charts_of(document, tab))
    page.remove_listener("request", note_request)
    page.remove_listener("response", note_response)
    return opened


def seconds_to_draw(page: Page, slug: str, charts: int) -> float:
    """Opens a dashboard and gives the seconds until all the charts in sight are drawn.

    The page's own clock runs from the moment in which it is asked for. Charts ask the database, whatever
    Superset has in its cache.

    Args:
        page: Where the viewer has signed in; high enough for all the charts, since one out of sight waits.
        slug: The dashboard's, as in its address.
        charts: How many there are in its first tab.
    """
    page.goto(f"{_address(slug)}?force=true", wait_until="commit")
    milliseconds: float = page.wait_for_function(_DRAWN_AT, arg=[_HOLDER, charts]).json_value()
    return milliseconds / 1000


def _address(slug: str) -> str:
    return f"/superset/dashboard/{slug}/"


def _note(opened: Opened, kind: str, text: str) -> None:
    """Keeps an error; requests that were refused are noted with their address elsewhere."""
    if kind == "error" and not text.startswith("Failed to load resource"):
        opened.complaints.append(text)


def _wait_for_charts(page: Page, opened: Opened, charts: list[str]) -> None:
    """Scrolls down once, since charts are loaded when they come into sight, and waits for the last."""
    holders = page.locator(f"{_HOLDER}:visible")
    for _ in range(300):
        if holders.count() >= len(charts):
            break
        page.wait_for_timeout(100)
    if holders.count() != len(charts):
        raise TimeoutError(f"{holders.count()} of {len(charts)} charts have a place")
    for number in range(len(charts)):
        holders.nth(number).scroll_into_view_if_needed()
        holders.nth(number).locator(".slice_container, [data-test=slice-container]").first.wait_for()
        page.wait_for_function(
            "holder => !holder.querySelector('.loading, [data-test=loading-indicator]')",
            arg=holders.nth(number).element_handle(),
        )
    for _ in range(100):
        if set(charts) <= opened.asked.keys():
            return
        page.wait_for_timeout(100)
    raise TimeoutError(f"never asked for {sorted(set(charts) - opened.asked.keys())}")
