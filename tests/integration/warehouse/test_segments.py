"""Numbers of a segment: those of the events that belong to it, and of no others."""

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from clickstream.storage.checks import run_checks
from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days
from clickstream.storage.sql import load_sql
from clickstream.storage.users import USERS_SCHEMA, insert_users
from clickstream.storage.views import read_view
from tests.integration.warehouse.recount import Event, recount
from tests.integration.warehouse.rows import after, event_rows

COUNTRIES = {1: "DE", 2: "DE", 3: "FR"}
each_segment = pytest.mark.parametrize(
    ("sites", "device_types", "countries"),
    [
        pytest.param([], [], [], id="all"),
        pytest.param([], ["mobile"], [], id="a device"),
        pytest.param([], [], ["DE"], id="a country"),
        pytest.param([], ["mobile", "tablet"], ["DE", "unknown"], id="devices and countries"),
        pytest.param(["shop.example.com"], [], [], id="a site"),
        pytest.param(["(no host)"], [], [], id="events without a host"),
        pytest.param(["shop.example.com", "blog.example.com"], ["mobile"], ["DE"], id="sites"),
        pytest.param(["shop.example.com"], ["desktop"], ["FR"], id="one of each"),
        pytest.param([], ["watch"], [], id="nobody"),
    ],
)


def _country(event: Event) -> str:
    return COUNTRIES.get(event["user_id"], "unknown")


@pytest.fixture
def events(client: Client) -> list[Event]:
    """Events of 60 days; users change their devices, and sessions go over midnight."""
    dice = random.Random(11)
    users = [{"id": user, "fio": f"Person {user}", "country": country} for user, country in COUNTRIES.items()]
    insert_users(client, pa.Table.from_pylist(users, schema=USERS_SCHEMA))
    events: list[Event] = []
    for number in range(400):
        day = dice.choice([0, 1, 2, 8, 31, 59])
        created_at = after(days=day, milliseconds=dice.randrange(86_400_000))
        events.append(
            {
                "id": number,
                "type": dice.choice(["view", "click"]),
                "created_at": created_at,
                "received_at": created_at
                + timedelta(seconds=dice.choice([-200, 0, 59, 60, 3_600, 90_000, 700_000])),
                "session_id": f"s{dice.randrange(60)}",
                "user_id": dice.randrange(6),
                "url_path": dice.choice(["/", "/cart"]),
                "url_host": dice.choice(["shop.example.com", "blog.example.com", ""]),
                "device_type": dice.choice(["desktop", "mobile", "tablet"]),
                "event_title": dice.choice(["hero", "buy"]),
                "element_id": dice.choice(["#a", "#b", "html"]),
                "x": dice.randrange(100),
                "y": dice.randrange(100),
                "source": dice.choice(["csv", "http"]),
            }
        )
    insert_events(client, event_rows(events))
    rebuild_days(client, [event["created_at"].date() for event in events])
    return events


def _of_segment(
    events: list[Event], sites: list[str], device_types: list[str], countries: list[str]
) -> list[Event]:
    return [
        event
        for event in events
        if (not sites or (event["url_host"] or "(no host)") in sites)
        and (not device_types or event["device_type"] in device_types)
        and (not countries or _country(event) in countries)
    ]


FIRST_DAYS = [date(1970, 1, 1), *(after(days=days).date() for days in (0, 1, 20, 30, 45, 59, 60))]


@each_segment
def test_active_users_of_a_segment_are_those_of_its_events_from_any_first_day(
    client: Client, events: list[Event], sites: list[str], device_types: list[str], countries: list[str]
) -> None:
    expected = recount(_of_segment(events, sites, device_types, countries))["daily_active_users"]
    for first in FIRST_DAYS:
        found = client.query(
            "select date, dau, wau, mau from active_users_of(sites = {sites:Array(String)}, "
            "device_types = {devices:Array(String)}, countries = {countries:Array(String)}, "
            "first_date = {first:Date})",
            parameters={"sites": sites, "devices": device_types, "countries": countries, "first": first},
        )
        assert {tuple(row) for row in found.result_rows} == {row for row in expected if row[0] >= first}


@each_segment
def test_sessions_of_a_segment_last_from_its_first_event_to_its_last(
    client: Client, events: list[Event], sites: list[str], device_types: list[str], countries: list[str]
) -> None:
    expected = recount(_of_segment(events, sites, device_types, countries))["session_durations"]
    found = client.query(
        "select date, sessions, average_seconds, median_seconds, single_event_sessions "
        "from session_durations_of"
        "(sites = {sites:Array(String)}, device_types = {devices:Array(String)}, "
        "countries = {countries:Array(String)})",
        parameters={"sites": sites, "devices": device_types, "countries": countries},
    )
    assert {tuple(row) for row in found.result_rows} == expected


@each_segment
@pytest.mark.parametrize(
    ("report", "view"),
    [
        ("active_users", "daily_active_users"),
        ("sessions", "session_durations"),
        ("devices", "device_types"),
    ],
)
def test_a_report_of_the_panel_counts_the_events_of_its_segment(
    client: Client,
    events: list[Event],
    report: str,
    view: str,
    sites: list[str],
    device_types: list[str],
    countries: list[str],
) -> None:
    expected = recount(_of_segment(events, sites, device_types, countries))[view]
    parameters = {
        "first_date": after(days=1).date(),
        "last_date": after(days=40).date(),
        "sites": sites,
        "device_types": device_types,
        "countries": countries,
    }
    found = client.query(load_sql(f"panel/report_{report}_of"), parameters=parameters)
    first, last = parameters["first_date"], parameters["last_date"]
    assert {tuple(row) for row in found.result_rows} == {row for row in expected if first <= row[0] <= last}


@pytest.mark.parametrize("site", ["shop.example.com", "blog.example.com", "(no host)"])
def test_the_heatmap_of_the_panel_shows_the_clicks_of_one_site(
    client: Client, events: list[Event], site: str
) -> None:
    days = {"first_date": date(1970, 1, 1), "last_date": date(2149, 1, 1)}
    filters = {**days, "device_types": ["mobile"], "sites": [site]}
    of_site = _of_segment(events, [site], ["mobile"], [])
    clicks = Counter(event["url_path"] for event in of_site if event["type"] == "click")

    pages = client.query(load_sql("panel/clicked_pages"), parameters=filters).result_rows

    assert {(path, host): count for path, host, count in pages} == {
        (path, site): count for path, count in clicks.items()
    }
    for path, host, count in pages:
        page = {"url_path": path, "url_host": host}
        squares = client.query(load_sql("panel/page_clicks"), parameters={**filters, **page}).result_rows
        assert sum(square[-1] for square in squares) == count


def _pylist(client: Client, view: str) -> list[dict[str, Any]]:
    return read_view(client, view).to_pylist()


def test_activity_adds_up_to_any_filter(client: Client, events: list[Event]) -> None:
    clicks: Counter[tuple[Any, ...]] = Counter()
    for row in _pylist(client, "segment_activity"):
        clicks[row["hour_of_day"], row["event_title"], row["country"]] += row["clicks"]
    expected = Counter(
        (event["created_at"].hour, event["event_title"], _country(event))
        for event in events
        if event["type"] == "click"
    )
    assert +clicks == expected


def test_lateness_tells_the_late_from_the_prompt(client: Client, events: list[Event]) -> None:
    found: Counter[str] = Counter()
    for row in _pylist(client, "lateness"):
        found[row["lateness"]] += row["events"]
    seconds = Counter(
        (event["received_at"] - event["created_at"]) // timedelta(seconds=1) for event in events
    )
    assert found == {
        "1. within a minute": seconds[-200] + seconds[0] + seconds[59],
        "2. within an hour": seconds[60],
        "3. within a day": seconds[3_600],
        "4. within a week": seconds[90_000],
        "5. later": seconds[700_000],
    }


def test_all_views_equal_a_recount_of_the_events_in_sql(client: Client, events: list[Event]) -> None:
    failed = [
        result.name
        for result in run_checks(client)
        if result.name.endswith("_equal_events") and not result.passed
    ]
    assert failed == []


def test_a_check_finds_users_whose_country_the_marts_do_not_know(client: Client, events: list[Event]) -> None:
    moved = pa.Table.from_pylist([{"id": 1, "fio": "Person 1", "country": "IT"}], schema=USERS_SCHEMA)
    assert insert_users(client, moved) == 1
    failed = {result.name for result in run_checks(client) if not result.passed}
    assert {"segment_activity_equal_events", "segment_users_equal_events"} <= failed


def test_users_that_are_there_just_so_are_not_written_again(client: Client, events: list[Event]) -> None:
    same = pa.Table.from_pylist([{"id": 1, "fio": "Person 1", "country": "DE"}], schema=USERS_SCHEMA)
    assert insert_users(client, same) == 0
