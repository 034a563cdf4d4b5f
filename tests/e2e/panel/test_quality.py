"""Refused events in the browser: found, repaired by a rule, replayed; the ledger balances throughout."""

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from clickstream.cli.runs import process_pending
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import count_pending
from tests.e2e.panel.panel import Panel, cells, open_page
from tests.waiting import wait_until

EVENTS = 5
SESSION = "to-be-mended"
ADDRESS = "198.51.100.77"


def one(sql: str, panel: Panel) -> Any:
    return connect(panel.settings.clickhouse, Role.READER).query(sql).result_rows[0][0]


def stored(panel: Panel) -> int:
    return int(one(f"select count() from events where session_id = '{SESSION}'", panel))


@pytest.fixture(scope="module")
def refused(panel: Panel) -> None:
    """Events of a type that does not exist, in quarantine."""
    events = [
        {
            "type": "purchase",
            "created_at": "2025-06-01T10:00:00Z",
            "session_id": SESSION,
            "user_id": 9_000 + number,
            "url": f"/mended/{number}",
            "ip": ADDRESS,
            "payload": {"event_title": "bought", "element_id": "#buy", "x": 1, "y": 2},
        }
        for number in range(EVENTS)
    ]
    url = f"http://127.0.0.1:{panel.settings.api.port}/events"
    assert httpx.post(url, content=json.dumps(events)).status_code == 422
    in_quarantine = f"select count() from quarantined_events final where position(body, '{SESSION}') > 0"
    wait_until(lambda: count_pending(connect(panel.settings.clickhouse, Role.READER)) > 0, "they arrive")
    process_pending(panel.settings)
    wait_until(lambda: int(one(in_quarantine, panel)) == EVENTS, "they are refused")


@pytest.mark.usefixtures("refused")
def test_a_viewer_sees_counts_but_no_event(viewer: BrowserContext) -> None:
    page = viewer.new_page()
    open_page(page, "/quality", "Data quality")

    expect(page.get_by_text("Sign in as an operator to see and repair them")).to_be_visible()
    assert page.get_by_role("button", name="Preview").count() == 0
    assert ADDRESS not in page.content()
    page.close()


@pytest.mark.usefixtures("refused")
def test_a_rule_repairs_many_and_replaying_them_twice_changes_nothing(page: Page, panel: Panel) -> None:
    open_page(page, "/quality", "Data quality")
    page.get_by_label("Text within the event").fill(SESSION)
    page.get_by_label("Text within the event").press("Enter")
    wait_until(lambda: "unknown_event_type" in cells(page), "the counts follow the filter")
    page.get_by_label("New value").fill("look")
    page.get_by_label("New value").press("Enter")
    page.get_by_role("button", name="Preview").click()
    expect(
        page.get_by_text("0 would then be valid, and the others would still have problems")
    ).to_be_visible()
    page.get_by_label("New value").fill("click")
    page.get_by_label("New value").press("Enter")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("The rule changes 5 of 5 events; 5 would then be valid.")).to_be_visible()

    page.get_by_role("button", name="Replay 5 repaired events").click()

    expect(page.get_by_text("The repaired events were sent.")).to_be_visible()
    assert replayed(panel) == EVENTS
    process_pending(panel.settings)
    assert stored(panel) == EVENTS
    open_page(page, "/quality", "Data quality")
    page.get_by_label("Text within the event").fill(SESSION)
    page.get_by_label("Text within the event").press("Enter")
    expect(page.get_by_text("No refused event matches the filter")).to_be_visible()
    assert stored(panel) == EVENTS
    assert (
        int(
            one(
                "select sum(toInt64(received) - stored - duplicate - quarantined - pending - erased) "
                "from ledger",
                panel,
            )
        )
        == 0
    )


def replayed(panel: Panel) -> int:
    condition = f"position(body, '{SESSION}') > 0 and replayed_at is not null"
    return int(one(f"select count() from quarantined_events final where {condition}", panel))


@pytest.mark.usefixtures("refused")
def test_expectations_are_shown_with_their_trend(page: Page) -> None:
    open_page(page, "/quality?quality+part=Expectations", "Data quality")
    page.get_by_text("Expectations", exact=True).first.click()

    expect(page.get_by_text("expectations were checked in the last 30 days")).to_be_visible()
