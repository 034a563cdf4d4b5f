"""The control panel on many events: how long each page takes in a browser until it is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.dashboard_page import PATIENCE_MS, open_browser
from benchmarks.dashboards import fill_warehouse
from benchmarks.samples import PANEL_OPENED, Extent, Sample
from clickstream.settings import Settings
from clickstream.storage.client import Role, connect
from clickstream.storage.migrations import migrate
from stack.isolated import isolated_stack

EMPTIEST: Final = "/privacy"
"""The page that asks for least: its time is that of the browser and of Streamlit."""

ADDRESSES: Final = (
    *("/", "/generators", "/upload", "/quality", "/events", EMPTIEST),
    *(
        f"/reports?report={report}"
        for report in ("Active+users", "Conversion+by+element", "Pages", "Sources", "Sessions", "Devices")
    ),
    "/reports?report=Heatmap+of+clicks",
)
"""Pages that read the warehouse; those of Mage and Prometheus take what these take."""

_DRAWN_AT: Final = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    const waiting = [...document.querySelectorAll('[data-testid=stSkeleton]')];
    const charts = [...document.querySelectorAll('[data-testid=stEChartsChart]')];
    return app && app.dataset.testScriptState === 'notRunning' && document.querySelector('h1')
        && !waiting.some(found => found.checkVisibility())
        && charts.every(found => found.querySelector('canvas')) && performance.now();
}"""
"""When the script has ended and every chart is there, on the page's own clock; false until then."""


def measure_panel(directory: Path, extent: Extent) -> list[Sample]:
    """Fills a warehouse and opens each page of the panel, once more than it is counted."""
    with isolated_stack(directory, ("clickhouse", "exporter", "generator", "panel")) as stack:
        client = connect(stack.settings.clickhouse, Role.WRITER)
        migrate(client, stack.settings.clickhouse)
        fill_warehouse(client, extent.dashboard_events)
        with open_browser() as browser, _signed_in(browser, stack.settings) as context:
            seconds = {
                address: [seconds_to_draw(context, address) for _ in range(extent.rounds + 1)][1:]
                for address in ADDRESSES
            }
    return [
        sample_of({address: each[turn] for address, each in seconds.items()}) for turn in range(extent.rounds)
    ]


def sample_of(seconds: dict[str, float]) -> Sample:
    """One round: the slowest page, and with it all the others."""
    slowest = max(seconds, key=lambda address: seconds[address])
    return Sample(
        PANEL_OPENED,
        seconds[slowest],
        seconds[EMPTIEST],
        {"median of all pages s": median(seconds.values())},
        about=slowest,
        parts={address: {"s": value} for address, value in seconds.items()},
    )


def seconds_to_draw(context: BrowserContext, address: str) -> float:
    """Opens a page in a tab of its own; how long until it is drawn."""
    page: Page = context.new_page()
    page.goto(address, wait_until="commit")
    milliseconds: float = page.wait_for_function(_DRAWN_AT, polling=20).json_value()
    page.close()
    return milliseconds / 1000


@contextmanager
def _signed_in(browser: Browser, settings: Settings) -> Iterator[BrowserContext]:
    with browser.new_context(
        base_url=f"http://127.0.0.1:{settings.panel.port}", viewport={"width": 1400, "height": 900}
    ) as context:
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Account").fill("viewer")
        page.get_by_label("Password").fill(settings.panel.viewer_password.get_secret_value())
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Overview", level=1).wait_for()
        page.close()
        yield context
