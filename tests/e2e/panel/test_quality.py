"""Refused events in the browser: found, repaired by a rule, replayed; the ledger balances throughout."""

import json
import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from clickstream.cli.runs import process_pending
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import count_pending
from tests.e2e.panel.panel import Panel, cells, open_page, pick
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
    refuse(panel, *(broken(SESSION, number) for number in range(EVENTS)))


def broken(session: str, number: int) -> dict[str, Any]:
    """An event of a type that does not exist."""
    return {
        "type": "purchase",
        "created_at": "2025-06-01T10:00:00Z",
        "session_id": session,
        "user_id": 9_000 + number,
        "url": f"/{session}/{number}",
        "ip": ADDRESS,
        "payload": {"event_title": "bought", "element_id": "#buy", "x": 1, "y": 2},
    }


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
    choose_rule(page, "type", "click")
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


def choose_rule(page: Page, field: str, value: str) -> None:
    """Fill in a rule that sets a field."""
    expect(page.get_by_role("button", name="Preview")).to_be_disabled()
    box = page.get_by_role("combobox", name="Field to change")
    pick(page, box, page.get_by_role("option", name=field, exact=True), field)
    page.get_by_label("New value").fill(value)
    page.get_by_label("New value").press("Enter")


def refuse(panel: Panel, *events: dict[str, Any]) -> None:
    """Send events that are not valid, and wait until they are in quarantine."""
    url = f"http://127.0.0.1:{panel.settings.api.port}/events"
    assert httpx.post(url, content=json.dumps(events)).status_code == 422
    session = events[0]["session_id"]
    in_quarantine = f"select count() from quarantined_events final where position(body, '{session}') > 0"
    wait_until(lambda: count_pending(connect(panel.settings.clickhouse, Role.READER)) > 0, "they arrive")
    process_pending(panel.settings)
    wait_until(lambda: int(one(in_quarantine, panel)) == len(events), "they are refused")


def search(page: Page, text: str) -> None:
    open_page(page, "/quality", "Data quality")
    page.get_by_label("Text within the event").fill(text)
    page.get_by_label("Text within the event").press("Enter")


def edits(page: Page, text: str) -> bool:
    """Whether the one editor holds this text; while a page is drawn, the one before it may be there too."""
    editors = page.get_by_label("The event, to be edited")
    held: list[str] = editors.evaluate_all("editors => editors.map(editor => editor.value)")
    return len(held) == 1 and text in held[0]


def test_the_event_that_was_edited_is_sent_although_others_arrive(page: Page, panel: Panel) -> None:
    refuse(panel, *(broken("edited", number) for number in range(3)))
    search(page, "edited")
    pick(page, page.get_by_role("combobox", name="The last 3 events"), page.get_by_role("option").nth(1))
    editor = page.get_by_label("The event, to be edited")
    wait_until(lambda: edits(page, "/edited/1"), "the editor shows the chosen event, and it alone")
    expect(page.get_by_role("button", name="Replay the event")).to_be_disabled()
    refuse(panel, *(broken("later-edited", number) for number in range(2)))

    editor.fill(editor.input_value().replace("purchase", "click"))
    editor.press("Control+Enter")
    page.get_by_role("button", name="Replay the event").click()

    expect(page.get_by_text("The repaired events were sent.")).to_be_visible()
    expect(page.get_by_role("button", name="Replay the event")).to_have_count(0)
    wait_until(lambda: edits(page, "/edited/1"), "the editor still shows the event that was sent")
    condition = "position(body, '/edited/1') > 0 and replayed_at is not null"
    assert int(one(f"select count() from quarantined_events final where {condition}", panel)) == 1
    process_pending(panel.settings)
    assert int(one("select count() from events where url_path = '/edited/1'", panel)) == 1
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("This event was replayed")).to_be_visible()
    expect(page.get_by_role("combobox", name="The last 4 events")).to_be_visible()


def test_a_rule_that_makes_no_event_valid_says_what_is_missing(page: Page, panel: Panel) -> None:
    refuse(panel, {**broken("no-position", 0), "payload": {"event_title": "a", "element_id": "#a"}})
    search(page, "no-position")
    choose_rule(page, "type", "click")

    page.get_by_role("button", name="Preview").click()

    expect(
        page.get_by_text(
            "0 would then be valid, and they would still have problems "
            "(missing_field in payload.x 1, missing_field in payload.y 1)"
        )
    ).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Replay . repaired"))).to_have_count(0)


def test_a_rule_without_a_filter_must_be_confirmed(page: Page, panel: Panel) -> None:
    refuse(panel, broken("unfiltered", 0))
    open_page(page, "/quality", "Data quality")
    choose_rule(page, "type", "click")
    page.get_by_role("button", name="Preview").click()
    send = page.get_by_role("button", name=re.compile("Replay .+ repaired"))
    expect(send).to_be_disabled()

    page.get_by_text("No filter is set: the rule applies to").click()

    expect(send).to_be_enabled()


def replayed(panel: Panel) -> int:
    condition = f"position(body, '{SESSION}') > 0 and replayed_at is not null"
    return int(one(f"select count() from quarantined_events final where {condition}", panel))


@pytest.mark.usefixtures("refused")
def test_expectations_are_shown_with_their_trend(page: Page) -> None:
    open_page(page, "/quality?quality+part=Expectations", "Data quality")
    page.get_by_text("Expectations", exact=True).first.click()

    expect(page.get_by_text("expectations were checked in the last 30 days")).to_be_visible()
