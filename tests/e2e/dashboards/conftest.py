"""Superset with events from two sources, and a browser in which the viewer has signed in."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from playwright.sync_api import Browser, Page

from benchmarks.dashboard_page import open_dashboard, signed_in
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import RAW_SCHEMA, insert_raw
from clickstream.verification import compare_with_key, load_key
from dashboards.files import Document, read_assets
from generator.csv_writer import write_dataset
from generator.plan import DatasetFiles, Plan
from stack.isolated import isolated_stack
from stack.lifecycle import Stack
from tests.e2e.dashboards.superset_client import SupersetClient
from tests.e2e.dashboards.superset_stack import Superset
from tests.integration.etl import pipelines
from tests.integration.warehouse.recount import Event

UNTIL: Final = datetime.now(UTC).date() - timedelta(days=1)
DAYS: Final = 40
ODD_PAYLOAD: Final = {"event_title": "line\nbreak", "element_id": "#tab\there"}
"""The payload of one event, with values that are hard to escape."""


@pytest.fixture(scope="package")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DatasetFiles]:
    """What each source brings, with its answer key."""
    directory = tmp_path_factory.mktemp("events")
    return {
        "csv": _write(directory / "csv.csv", events=6_000, seed=3, faults=0.02),
        "http": _write(directory / "http.csv", events=600, seed=4, faults=0.0),
    }


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, files: dict[str, DatasetFiles]) -> Iterator[Stack]:
    """A stack with events of forty days from a file, exactly as their answer key says, and some over HTTP."""
    directory = tmp_path_factory.mktemp("dashboards")
    with isolated_stack(directory, services=("clickhouse", "superset")) as running:
        client = connect(running.settings.clickhouse, Role.WRITER)
        for file in (files["csv"].users, files["csv"].events):
            pipelines.load(file)
        pipelines.run()
        key = load_key(files["csv"].key)
        assert [item for item in compare_with_key(client, key) if item.differences] == []
        _send(client, files["http"])
        pipelines.run()
        yield running


def _write(path: Path, *, events: int, seed: int, faults: float) -> DatasetFiles:
    files = DatasetFiles.beside(path)
    plan = Plan(events=events, days=DAYS, seed=seed, faults=faults, duplicates=0.02, until=UNTIL)
    write_dataset(plan, files, lambda _written: None)
    return files


def _send(client: Client, files: DatasetFiles) -> None:
    """Stores the events of a file, as a test of two variants, as if they had come over HTTP."""
    with files.events.open(encoding="utf-8", newline="") as text:
        sent = list(csv.DictReader(text))
    odd = sent[-1] | {"id": "", "url": "/tab\there", "type": "view", "payload": json.dumps(ODD_PAYLOAD)}
    for place, row in enumerate(sent):
        payload = json.loads(row["payload"]) | {"variant": "ab"[place // 3 % 2]}
        row["payload"] = json.dumps(payload)
    bodies = [json.dumps(row) for row in [*sent, {name: value for name, value in odd.items() if value}]]
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
    """The distinct valid events, bots' among them, with the countries of their users."""
    client = connect(stack.settings.clickhouse, Role.READER)
    users = client.query("select id, country from users final").named_results()
    countries = {user["id"]: user["country"] for user in users}
    found = client.query(
        "select id, type, created_at, received_at, session_id, user_id, url, url_host, url_path, referrer, "
        "device_type, event_title, element_id, x, y, own_fields, source, is_bot, bot_name from events"
    )
    return [
        {
            **row,
            "country": countries.get(row["user_id"], "unknown"),
            "url_host": row["url_host"] or "(no host)",
        }
        for row in found.named_results()
    ]


@pytest.fixture(scope="package")
def superset(stack: Stack) -> Superset:
    return Superset(stack)


@pytest.fixture(scope="package")
def admin(superset: Superset) -> Iterator[SupersetClient]:
    """The session of the account that edits."""
    with superset.admin() as client:
        yield client


@pytest.fixture(scope="package")
def viewer(superset: Superset) -> Iterator[SupersetClient]:
    """The session of the account that sees dashboards and nothing else."""
    with superset.viewer() as client:
        yield client


@pytest.fixture(scope="package")
def slugs(viewer: SupersetClient) -> dict[int, str]:
    """The slug of each chart by the id that Superset has given to it."""
    by_title = {document["title"]: slug for slug, document in read_assets().charts.items()}
    return {chart["id"]: by_title[chart["slice_name"]] for chart in viewer.charts()}


@pytest.fixture(scope="package")
def page(browser: Browser, superset: Superset) -> Iterator[Page]:
    """A page of a browser in which the viewer has signed in."""
    with signed_in(browser, superset.settings.superset) as page:
        yield page


@pytest.fixture(scope="package")
def asked(page: Page, slugs: dict[int, str]) -> dict[str, Document]:
    """What the dashboards ask for, by chart."""
    found: dict[str, Document] = {}
    for dashboard in read_assets().dashboards.values():
        found |= open_dashboard(page, dashboard["slug"], slugs, (1600, 1000)).asked
    return found
