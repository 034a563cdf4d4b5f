"""Superset with events from two sources, and what its dashboards ask for when a browser opens them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Browser, Page, Request, Response

from clickstream.settings import SupersetSettings
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import RAW_SCHEMA, insert_raw
from clickstream.verification import compare_with_key, load_key
from dashboards.files import Document, read_assets
from dashboards.layout import nodes
from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from tests.integration.etl import pipelines
from tests.integration.superset.superset_client import SupersetClient
from tests.integration.warehouse.recount import Event

UNTIL: Final = datetime.now(UTC).date() - timedelta(days=1)
DAYS: Final = 40
PATIENCE_MS: Final = 120_000
"""How long a browser waits for what it is to show; a machine may be busy."""

_DATA: Final = "/api/v1/chart/data"


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


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with events of forty days from a file, exactly as their answer key says, and some over HTTP."""
    directory = tmp_path_factory.mktemp("dashboards")
    with isolated_stack(directory, services=("clickhouse", "superset")) as running:
        client = connect(running.settings.clickhouse, Role.WRITER)
        files = _write(directory / "events.csv", events=6_000, seed=3, faults=0.02)
        for file in (files.users, files.events):
            pipelines.load(file)
        pipelines.run()
        assert [item for item in compare_with_key(client, load_key(files.key)) if item.differences] == []
        _send(client, _write(directory / "more.csv", events=600, seed=4, faults=0.0))
        pipelines.run()
        yield running


def _write(path: Path, *, events: int, seed: int, faults: float) -> DatasetFiles:
    files = DatasetFiles.beside(path)
    plan = Plan(events=events, days=DAYS, seed=seed, faults=faults, duplicates=0.02, until=UNTIL)
    write_dataset(plan, files, lambda _written: None)
    return files


def _send(client: Client, files: DatasetFiles) -> None:
    """Puts the events of a file where those lie that came over HTTP."""
    with files.events.open(encoding="utf-8", newline="") as text:
        bodies = [json.dumps(row) for row in csv.DictReader(text)]
    rows = [
        {
            "source": "http",
            "origin": "clickstream.events/0",
            "offset": offset,
            "item": 0,
            "received_at": datetime.now(UTC),
            "body": body,
            "defect": "",
            "replay_of": "",
        }
        for offset, body in enumerate(bodies)
    ]
    insert_raw(client, pa.Table.from_pylist(rows, schema=RAW_SCHEMA), token="http")


@pytest.fixture(scope="package")
def events(stack: Stack) -> list[Event]:
    """The distinct valid events, with the countries of their users."""
    client = connect(stack.settings.clickhouse, Role.READER)
    users = client.query("select id, country from users final").named_results()
    countries = {user["id"]: user["country"] for user in users}
    found = client.query(
        "select id, type, created_at, received_at, session_id, user_id, url_path, device_type, "
        "event_title, element_id, x, y, source from events"
    )
    return [{**row, "country": countries.get(row["user_id"], "unknown")} for row in found.named_results()]


@pytest.fixture(scope="package")
def superset(stack: Stack) -> SupersetSettings:
    return stack.settings.superset


@pytest.fixture(scope="package")
def superset_url(superset: SupersetSettings) -> str:
    return f"http://127.0.0.1:{superset.port}"


@pytest.fixture(scope="package")
def viewer(superset: SupersetSettings, superset_url: str) -> Iterator[SupersetClient]:
    """The session of who sees dashboards and nothing else."""
    password = superset.viewer_password.get_secret_value()
    with SupersetClient(superset_url, superset.viewer_name, password) as client:
        yield client


@pytest.fixture(scope="package")
def slugs(viewer: SupersetClient) -> dict[int, str]:
    """The slug of each chart by the id that Superset has given to it."""
    by_title = {document["title"]: slug for slug, document in read_assets().charts.items()}
    return {chart["id"]: by_title[chart["slice_name"]] for chart in viewer.charts()}


@pytest.fixture(scope="package")
def page(browser: Browser, superset: SupersetSettings, superset_url: str) -> Iterator[Page]:
    """A page of a browser in which the viewer has signed in."""
    context = browser.new_context(base_url=superset_url)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto("/login/")
    page.locator("input#username, input[name=username]").first.fill(superset.viewer_name)
    password = superset.viewer_password.get_secret_value()
    page.locator("input#password, input[name=password]").first.fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/dashboard/list/**")
    yield page
    context.close()


def open_dashboard(page: Page, slug: str, slugs: dict[int, str], size: tuple[int, int]) -> Opened:
    """Opens a dashboard and each of its tabs, and waits until every chart is there."""
    document = next(item for item in read_assets().dashboards.values() if item["slug"] == slug)
    opened = Opened({}, [], [])

    def note_request(request: Request) -> None:
        if _DATA in request.url:
            body: Any = request.post_data_json
            if (number := body["form_data"].get("slice_id")) in slugs:
                opened.asked[slugs[number]] = body

    def note_response(response: Response) -> None:
        if response.status >= 400:
            opened.failed.append(f"{response.status} {response.request.method} {response.url}")

    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.on("request", note_request)
    page.on("response", note_response)
    page.on("console", lambda message: _note(opened, message.type, message.text))
    page.goto(f"/superset/dashboard/{slug}/", wait_until="domcontentloaded")
    for tab in tabs_of(document):
        if tab:
            page.locator(".ant-tabs-tab", has_text=tab).first.click()
        _wait_for_charts(page, opened, charts_of(document, tab))
    page.remove_listener("request", note_request)
    page.remove_listener("response", note_response)
    return opened


def _note(opened: Opened, kind: str, text: str) -> None:
    """Keeps an error; requests that were refused are noted with their address elsewhere."""
    if kind == "error" and not text.startswith("Failed to load resource"):
        opened.complaints.append(text)


def tabs_of(dashboard: Document) -> list[str]:
    """The titles of the tabs, in order; one empty title where there are none."""
    return [node["tab"] for node in nodes(dashboard["layout"]) if "tab" in node] or [""]


def charts_of(dashboard: Document, tab: str = "") -> list[str]:
    """The slugs of the charts of a dashboard, or of one of its tabs."""
    layout = dashboard["layout"]
    if tab:
        layout = [node for node in nodes(layout) if node.get("tab") == tab]
    return [node["chart"] for node in nodes(layout) if "chart" in node]


def _wait_for_charts(page: Page, opened: Opened, charts: list[str]) -> None:
    """Scrolls down once, since charts are loaded when they come into sight, and waits for the last."""
    holders = page.locator(".dashboard-component-chart-holder:visible")
    for _ in range(300):
        if holders.count() >= len(charts):
            break
        page.wait_for_timeout(100)
    assert holders.count() == len(charts), f"{holders.count()} of {len(charts)} charts have a place"
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
    raise AssertionError(f"never asked for {sorted(set(charts) - opened.asked.keys())}")
