"""Figures by day leave today out until it is over, so that it does not look like a fall."""

from datetime import UTC, date, datetime, time, timedelta
from time import sleep

import jinja2
import pytest
from clickhouse_connect.driver.client import Client

from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days
from dashboards.files import read_assets
from tests.integration.warehouse.rows import event_rows

DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    """A moment of a day that does not end during the test."""
    while (moment := datetime.now(UTC)).time() > time(23, 58):
        sleep(1)
    return moment


def fill(client: Client, *moments: datetime, site: str = "") -> None:
    rows = [
        {"created_at": moment, "received_at": moment, "session_id": f"{site} {moment}", "url_host": site}
        for moment in moments
    ]
    insert_events(client, event_rows(rows))
    rebuild_days(client, sorted({moment.date() for moment in moments}))


def shown_days(client: Client, dataset: str, *, first: date | None = None, site: str = "") -> list[object]:
    """The days that charts by full day have, with Superset's macros as they are for these filters."""
    document = read_assets().datasets[dataset]
    chosen = {"url_host": [site]} if site else {}
    environment = jinja2.Environment(autoescape=False)
    environment.filters["where_in"] = lambda values: "(" + ", ".join(f"'{value}'" for value in values) + ")"
    rendered = environment.from_string(document["sql"]).render(
        filter_values=lambda column, **_options: chosen.get(column, []),
        from_dttm=first and f"{first.isoformat()}T00:00:00",
        to_dttm=None,
    )
    conditions = ["is_day_over"] if "is_day_over" in document["columns"] else []
    if site and conditions:
        conditions.append(f"url_host = '{site}'")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    return [
        row[0]
        for row in client.query(f"select distinct date from ({rendered}) {where} order by date").result_rows
    ]


each_dataset = pytest.mark.parametrize(
    "dataset", ["active_users", "sessions", "session_lengths", "activity", "visits", "visit_sources"]
)


def first_day(now: datetime, days_back: int | None) -> date | None:
    """The first day of a chosen range, if there is one."""
    return None if days_back is None else now.date() - timedelta(days=days_back)


@each_dataset
@pytest.mark.parametrize("days_back", [None, 1], ids=["no range", "a range"])
def test_today_is_left_out_beside_other_days(
    client: Client, now: datetime, dataset: str, days_back: int | None
) -> None:
    fill(client, now - DAY, now)

    assert shown_days(client, dataset, first=first_day(now, days_back)) == [(now - DAY).date()]


@each_dataset
@pytest.mark.parametrize("days_back", [None, 1], ids=["no range", "a range"])
def test_today_is_shown_while_there_is_no_other_day(
    client: Client, now: datetime, dataset: str, days_back: int | None
) -> None:
    fill(client, now)

    assert shown_days(client, dataset, first=first_day(now, days_back)) == [now.date()]


@each_dataset
def test_today_is_shown_if_only_today_is_asked_for(client: Client, now: datetime, dataset: str) -> None:
    fill(client, now - DAY, now)

    assert now.date() in shown_days(client, dataset, first=now.date())


@each_dataset
def test_the_first_day_of_a_site_is_shown_although_others_have_earlier_ones(
    client: Client, now: datetime, dataset: str
) -> None:
    fill(client, now - DAY, now, site="old.example")
    fill(client, now, site="new.example")

    assert shown_days(client, dataset, site="old.example") == [(now - DAY).date()]
    assert shown_days(client, dataset, site="new.example") == [now.date()]
