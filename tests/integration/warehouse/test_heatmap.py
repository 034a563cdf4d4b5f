"""The heatmap's dataset: squares with clicks, both edges whole, and nothing at all without clicks."""

import jinja2
import pytest
from clickhouse_connect.driver.client import Client

from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days
from dashboards.files import read_assets
from tests.integration.warehouse.rows import START, event_rows


def shown(client: Client, columns: str) -> list[tuple[object, ...]]:
    """What the heatmap asks for, with Superset's macros as they are without filters."""
    document = read_assets().datasets["clicks_by_position"]
    sql = (
        jinja2.Environment(autoescape=False)
        .from_string(document["sql"])
        .render(filter_values=lambda *_arguments, **_options: [], from_dttm=None, to_dttm=None)
    )
    metrics = {name: metric["expression"] for name, metric in document["metrics"].items()}
    return [
        tuple(row) for row in client.query(f"select {columns.format(**metrics)} from ({sql})").result_rows
    ]


@pytest.mark.parametrize("kind", [None, "view"], ids=["no event", "no click"])
def test_without_clicks_it_is_empty_and_has_no_width(client: Client, kind: str | None) -> None:
    if kind:
        insert_events(client, event_rows([{"type": kind}]))
        rebuild_days(client, [START.date()])

    assert shown(client, "count()") == [(0,)]
    assert shown(client, "{width_px}") == [(None,)]


def test_the_edges_reach_to_the_outermost_click(client: Client) -> None:
    insert_events(client, event_rows([{"type": "click", "x": 81, "y": 45}]))
    rebuild_days(client, [START.date()])

    assert sorted(shown(client, "distinct x, y")) == [(0, 0), (0, 40), (40, 0), (80, 0), (80, 40)]
    assert shown(client, "{width_px}") == [(120,)]
