"""Several sites in one warehouse, and where their visits came from."""

from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from clickstream.storage.checks import run_checks
from clickstream.storage.events import insert_events
from clickstream.storage.marts import rebuild_days
from clickstream.storage.views import read_view
from tests.integration.warehouse.rows import START, after, event_rows

SHOP = "shop.example"


def _build(client: Client, events: list[dict[str, Any]]) -> None:
    insert_events(client, event_rows(events))
    rebuild_days(client, [START.date(), after(days=1).date()])
    failed = [
        check.name for check in run_checks(client) if not check.passed and "_equal_events" in check.name
    ]
    assert failed == []


@pytest.mark.parametrize("view", ["segment_activity", "segment_visits"])
def test_the_same_path_of_two_sites_stays_two_pages(client: Client, view: str) -> None:
    hosts = [SHOP, SHOP, "blog.example", ""]
    _build(client, [{"url_host": host, "url_path": "/"} for host in hosts])
    rows = read_view(client, view).to_pylist()
    views = {row["url_host"]: row["views"] for row in rows}
    assert views == {SHOP: 2, "blog.example": 1, "(no host)": 1}


def test_clicks_on_the_same_path_of_two_sites_stay_two_heatmaps(client: Client) -> None:
    click = {"type": "click", "url_path": "/", "x": 30, "y": 50}
    _build(client, [{**click, "url_host": host} for host in (SHOP, SHOP, "blog.example", "")])
    rows = read_view(client, "segment_click_positions").to_pylist()
    clicks = {row["url_host"]: (row["x_bin"], row["y_bin"], row["clicks"]) for row in rows}
    assert clicks == {SHOP: (20, 40, 2), "blog.example": (20, 40, 1), "(no host)": (20, 40, 1)}
    [together] = read_view(client, "click_positions").to_pylist()
    assert together["clicks"] == 4


@pytest.mark.parametrize(
    ("referrer", "url_host", "origin"),
    [
        ("", SHOP, "(direct)"),
        ("https://shop.example/cart", SHOP, "(own site)"),
        ("https://www.shop.example/", SHOP, "(own site)"),
        ("https://shop.example/", f"www.{SHOP}", "(own site)"),
        ("/catalog", "", "(own site)"),
        ("https://www.google.com/search?q=bags", SHOP, "google.com"),
        ("https://Blog.Example:8443/best-bags", SHOP, "blog.example"),
        ("android-app://com.google.android.gm/", SHOP, "com.google.android.gm"),
    ],
    ids=["none", "own", "own with www", "own without www", "own path", "www", "port and case", "app"],
)
def test_a_visit_comes_from_the_host_of_its_referrer(
    client: Client, referrer: str, url_host: str, origin: str
) -> None:
    _build(client, [{"referrer": referrer, "url_host": url_host, "url": f"https://{url_host}/"}])
    (row,) = read_view(client, "visit_sources").to_pylist()
    assert row["referrer_host"] == origin


@pytest.mark.parametrize(
    ("url", "campaign"),
    [
        ("https://shop.example/", ("(none)", "(none)", "(none)")),
        ("/?utm_source=mail&utm_medium=email&utm_campaign=spring", ("mail", "email", "spring")),
        ("/?a=1&utm_campaign=big+sale%21#utm_source=no", ("(none)", "(none)", "big sale!")),
        ("/?utm_source=", ("(none)", "(none)", "(none)")),
        ("/?my_utm_source=x", ("(none)", "(none)", "(none)")),
        (f"/?utm_source={'s' * 300}", ("s" * 100, "(none)", "(none)")),
    ],
    ids=["none", "all", "escaped", "empty", "another name", "long"],
)
def test_a_campaign_is_read_from_the_url(client: Client, url: str, campaign: tuple[str, str, str]) -> None:
    _build(client, [{"url": url}])
    (row,) = read_view(client, "visit_sources").to_pylist()
    assert (row["utm_source"], row["utm_medium"], row["utm_campaign"]) == campaign


def test_a_session_counts_once_a_day_with_its_first_event(client: Client) -> None:
    first = {"referrer": "https://google.com/", "created_at": after(hours=1), "device_type": "mobile"}
    later = {"referrer": "https://bing.com/", "created_at": after(hours=2), "type": "click", "x": 1, "y": 1}
    next_day = {"created_at": after(days=1)}
    _build(client, [later, first, next_day])
    rows = sorted(read_view(client, "visit_sources").to_pylist(), key=lambda row: row["date"])
    assert [
        (row["referrer_host"], row["device_type"], row["sessions"], row["sessions_clicked"], row["events"])
        for row in rows
    ] == [("google.com", "mobile", 1, 1, 2), ("(direct)", "desktop", 1, 0, 1)]
