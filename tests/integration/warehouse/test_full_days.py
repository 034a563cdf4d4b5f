"""Figures by day leave today out until it is over, so that it does not look like a fall."""

from datetime import UTC, datetime, timedelta

import jinja2
import pytest
from clickhouse_connect.driver.client import Client

from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days
from dashboards.files import read_assets
from tests.integration.warehouse.rows import event_rows

NOW = datetime.now(UTC)
TODAY, YESTERDAY = NOW.date(), NOW.date() - timedelta(days=1)


def fill(client: Client, *times: datetime) -> None:
    rows = [{"created_at": time, "received_at": NOW, "session_id": str(time)} for time in times]
    insert_events(client, event_rows(rows))
    rebuild_days(client, sorted({time.date() for time in times}))


def days(client: Client, dataset: str, chosen_from: str | None = None) -> list[object]:
    """The days that a dataset has, with Superset's macros as they are without filters."""
    sql = read_assets().datasets[dataset]["sql"]
    rendered = (
        jinja2.Environment(autoescape=False)
        .from_string(sql)
        .render(filter_values=lambda *_arguments, **_options: [], from_dttm=chosen_from, to_dttm=None)
    )
    return [row[0] for row in client.query(f"select date from ({rendered}) order by date").result_rows]


@pytest.mark.parametrize("dataset", ["active_users", "sessions"])
def test_today_is_left_out_beside_other_days(client: Client, dataset: str) -> None:
    fill(client, NOW - timedelta(days=1), NOW)

    assert days(client, dataset) == [YESTERDAY]


@pytest.mark.parametrize("dataset", ["active_users", "sessions"])
def test_today_is_shown_while_there_is_no_other_day(client: Client, dataset: str) -> None:
    fill(client, NOW)

    assert days(client, dataset) == [TODAY]


@pytest.mark.parametrize("dataset", ["active_users", "sessions"])
def test_today_is_shown_where_a_range_of_dates_is_chosen(client: Client, dataset: str) -> None:
    fill(client, NOW - timedelta(days=1), NOW)

    assert TODAY in days(client, dataset, YESTERDAY.isoformat())
