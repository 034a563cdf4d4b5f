"""What docs/own-fields.md promises: from the tag on a page of another server to the numbers of the charts."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from clickhouse_connect.driver.client import Client
from jinja2 import Template
from playwright.sync_api import Browser

from clickstream.settings import PROJECT_ROOT
from clickstream.storage.client import Role, connect
from dashboards.files import read_assets
from tests.integration.api.service import ApiStack
from tests.integration.etl.pipelines import run as process
from tests.waiting import wait_until

GUIDE: Final = (PROJECT_ROOT / "docs" / "own-fields.md").read_text()
ASSETS: Final = read_assets()
VISITS: Final = {"blue": (4, 1), "green": (5, 3)}
"""How many visitors see a variant, and how many of them click."""


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def shop(api: ApiStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site on its own server, with one page for each variant and the tag of the guide."""
    folder = tmp_path_factory.mktemp("shop")
    [button] = re.findall(r"```html\n(<button.*?)```", GUIDE, re.DOTALL)
    for variant in VISITS:
        tagged = button.replace('data-track-variant="b"', f'data-track-variant="{variant}"')
        tag = f'<script src="{api.url}/tracker.js" defer></script>'
        Path(folder, f"{variant}.html").write_text(f"<!doctype html><head>{tag}</head><body>{tagged}</body>")
    handler = partial(_QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def client(api: ApiStack, browser: Browser, shop: str) -> Client:
    """The warehouse, once the visits of both variants are processed."""
    reader = connect(api.settings.clickhouse, Role.READER)
    for variant, (visitors, clicking) in VISITS.items():
        for number in range(visitors):
            _visit(browser, f"{shop}/{variant}.html", clicks=number < clicking)
    sent = sum(2 * visitors + clicking for visitors, clicking in VISITS.values())
    arrived = "select count() from raw_events where body like {page:String}"
    wait_until(
        lambda: reader.query(arrived, {"page": f"%{shop}/%"}).result_rows == [(sent,)],
        "views of the page and the button, and clicks",
    )
    process()
    return reader


def _visit(browser: Browser, address: str, *, clicks: bool) -> None:
    """A new visitor who looks at the page until the button counts as seen, and may click it."""
    with browser.new_context() as context:
        page = context.new_page()
        with page.expect_response(
            lambda answer: "/events" in answer.url and "checkout" in str(answer.request.post_data)
        ):
            page.goto(address)
        if clicks:
            with page.expect_response(
                lambda answer: "/events" in answer.url and '"click"' in str(answer.request.post_data)
            ):
                page.click("#submit-button")


def chart_rows(client: Client, slug: str, field: str) -> list[dict[str, Any]]:
    """What a chart of the tab shows for a field: its metrics and columns, asked of its dataset."""
    chart = ASSETS.charts[slug]
    params, dataset = chart["params"], ASSETS.datasets[chart["dataset"]]
    columns = params.get("groupby") or [params["x_axis"]]
    metrics = [f"{dataset['metrics'][name]['expression']} as {name}" for name in params["metrics"]]
    inner = Template(dataset["sql"]).render()
    query = (
        f"select {', '.join([*columns, *metrics])} from ({inner}) where field = {{field:String}} group by all"
    )
    return list(client.query(query, {"field": field}).named_results())


def test_a_tag_of_the_guide_leads_to_the_conversion_of_each_variant(client: Client) -> None:
    rows = {
        row["value"]: row["conversion_percent"]
        for row in chart_rows(client, "own_field_conversion", "variant")
    }
    assert {value: rows[value] for value in VISITS} == {
        variant: pytest.approx(100 * clicking / visitors) for variant, (visitors, clicking) in VISITS.items()
    }


def test_the_button_is_told_apart_from_other_elements_with_the_field(client: Client) -> None:
    found = {
        row["value"]: (row["views_total"], row["clicks_total"])
        for row in chart_rows(client, "own_field_elements", "variant")
        if row["element_id"] == "#submit-button"
    }
    assert found == VISITS
