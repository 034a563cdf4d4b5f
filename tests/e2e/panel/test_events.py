"""Events: one is sent and followed into a mart, and one that is not in the numbers says why."""

import json
import re
import secrets

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from clickstream.mage_api import MageClient
from clickstream.storage.client import Role, connect
from clickstream.trace import Fate, trace_event
from tests.e2e.panel.panel import FAILED, Panel, cells, open_page
from tests.waiting import wait_until

ADDRESS = "203.0.113.99"


def event(event_id: int, **changes: object) -> dict[str, object]:
    return {
        "id": event_id,
        "type": "view",
        "created_at": "2026-03-01T10:00:00Z",
        "session_id": "s-events-page",
        "user_id": 5,
        "ip": ADDRESS,
        "url": "/cart",
        "payload": {"event_title": "checkout", "element_id": "#buy"},
        **changes,
    }


def send(panel: Panel, *sent: dict[str, object]) -> None:
    address = f"http://127.0.0.1:{panel.settings.api.port}/events"
    assert httpx.post(address, json=list(sent), timeout=30).status_code in {202, 422}


def process_until(panel: Panel, event_id: int, fate: Fate) -> None:
    """Waits until the event is in raw, runs the ETL, and waits for what becomes of it."""
    client = connect(panel.settings.clickhouse, Role.READER)
    wait_until(lambda: bool(trace_event(client, event_id).receipts), "the event is in raw_events")
    with MageClient(panel.settings.mage) as mage:
        mage.wait(mage.trigger("process_events", {}), timeout_seconds=120)
    wait_until(
        lambda: {one.fate for one in trace_event(client, event_id).receipts} >= {fate}, f"the event is {fate}"
    )


def test_an_event_is_sent_and_followed_into_the_marts(page: Page, panel: Panel) -> None:
    event_id = secrets.randbits(50)
    open_page(page, "/events?view=send", "Events")
    page.get_by_label("Event", exact=True).fill(json.dumps(event(event_id)))
    page.get_by_role("button", name="Send and follow").click()

    expect(page.get_by_text("The API accepted the event")).to_be_visible()
    expect(page.get_by_text("In raw_events").first).to_be_visible()
    process_until(panel, event_id, Fate.STORED)
    expect(page.get_by_text("In the numbers").first).to_be_visible()
    expect(page.get_by_text("on 2026-03-01").first).to_be_visible()


def test_a_duplicate_links_to_the_event_that_counts(page: Page, panel: Panel) -> None:
    event_id = secrets.randbits(50)
    send(panel, event(event_id), event(event_id, url="/other"))
    process_until(panel, event_id, Fate.DUPLICATE)

    open_page(page, f"/events?view=look-up&kind=id&what={event_id}", "Events")

    expect(page.get_by_text("Not counted: duplicate")).to_be_visible()
    page.get_by_role("link", name="clickstream.events/").click()
    expect(page.get_by_text("In the numbers").first).to_be_visible()


def test_a_quarantined_event_says_what_is_wrong_and_where_to_fix_it(page: Page, panel: Panel) -> None:
    event_id = secrets.randbits(50)
    send(panel, event(event_id, type="hover"))
    process_until(panel, event_id, Fate.QUARANTINED)

    open_page(page, f"/events?view=look-up&kind=id&what={event_id}", "Events")

    expect(page.get_by_text("Not counted: in quarantine")).to_be_visible()
    expect(page.get_by_text("type must be")).to_be_visible()
    address = page.get_by_role("link", name="Repair it").get_attribute("href")
    assert address is not None
    page.goto(address)
    expect(page.get_by_role("heading", name="A refused event")).to_be_visible()
    expect(page.get_by_label("The event, to be edited")).to_have_value(re.compile(str(event_id)))
    expect(page.get_by_role("button", name="Replay the event")).to_be_disabled()


def test_a_session_and_a_user_are_found(page: Page, panel: Panel) -> None:
    event_id, user_id = secrets.randbits(50), secrets.randbits(50)
    send(panel, event(event_id, user_id=user_id, session_id=f"s-{user_id}"))
    process_until(panel, event_id, Fate.STORED)
    for kind, what in (("session", f"s-{user_id}"), ("user", str(user_id))):
        open_page(page, f"/events?view=look-up&kind={kind}&what={what}", "Events")
        expect(page.get_by_text("In the numbers").first).to_be_visible()


def test_what_is_unknown_says_so(page: Page) -> None:
    open_page(page, "/events?view=look-up&kind=id&what=404", "Events")
    expect(page.get_by_text("Nothing is known under this name.")).to_be_visible()


def test_a_text_that_is_no_id_is_refused_with_an_example(page: Page) -> None:
    open_page(page, "/events?view=look-up&kind=id&what=abc", "Events")
    expect(page.get_by_text("is not an event id")).to_be_visible()


def test_the_live_list_shows_what_arrives(page: Page, panel: Panel) -> None:
    open_page(page, "/events", "Events")
    page.get_by_label("Text").fill("/only-here")
    page.get_by_label("Text").press("Enter")
    send(panel, event(secrets.randbits(50), url="/only-here"))
    wait_until(lambda: "/only-here" in cells(page), "the event is in the list")
    expect(page.get_by_text(FAILED)).to_have_count(0)


def test_viewers_see_no_address(viewer: BrowserContext, panel: Panel) -> None:
    event_id = secrets.randbits(50)
    send(panel, event(event_id))
    process_until(panel, event_id, Fate.STORED)
    page = viewer.new_page()

    open_page(page, f"/events?view=look-up&kind=id&what={event_id}", "Events")

    page.get_by_text("The event as it was received").click()
    expect(page.get_by_text("Addresses are hidden from viewers.")).to_be_visible()
    assert ADDRESS not in page.content()
    page.close()
