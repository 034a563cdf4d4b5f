"""Privacy: a person is found, exported and erased, and a later event does not bring them back."""

import json
import secrets
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from clickstream.mage_api import MageClient
from clickstream.privacy.find import find_person
from clickstream.storage.client import Role, connect
from clickstream.trace import Fate
from tests.e2e.panel.panel import Panel, open_page
from tests.e2e.panel.test_events import event, process_until, send
from tests.waiting import wait_until


def test_a_person_is_exported_and_erased_and_does_not_come_back(
    page: Page, panel: Panel, tmp_path: Path
) -> None:
    person, first, broken = (secrets.randbits(50) for _ in range(3))
    send(panel, event(first, user_id=person), event(broken, user_id=person, type="hover"))
    process_until(panel, first, Fate.STORED)
    process_until(panel, broken, Fate.QUARANTINED)

    open_page(page, "/privacy", "Privacy")
    page.get_by_label("User id", exact=True).fill(str(person))
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("Removes 2 received events")).to_be_visible()

    page.get_by_role("button", name="Prepare the export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download 2 events").click()
    exported = tmp_path / "export.json"
    download.value.save_as(exported)
    assert json.loads(exported.read_text(encoding="utf-8"))["events"][0]["id"] == first

    erase = page.get_by_role("button", name=f"Erase user {person}")
    expect(erase).to_be_disabled()
    page.get_by_label("Type the user id again").fill(str(person))
    page.get_by_label("Type the user id again").press("Enter")
    erase.click()
    expect(page.get_by_text("The person was erased.")).to_be_visible(timeout=120_000)
    receipt = page.get_by_test_id("stCode").first.inner_text()
    assert "raw_events: 2 received events" in receipt
    assert "broker topic clickstream.events" in receipt
    assert str(person) not in receipt

    client = connect(panel.settings.clickhouse, Role.READER)
    erased = client.query("select sum(erased) from ledger").result_rows[0][0]
    late = secrets.randbits(50)
    send(panel, event(late, user_id=person))
    wait_until(lambda: bool(find_person(client, person).events), "the late event is in raw_events")
    with MageClient(panel.settings.mage) as mage:
        mage.wait(mage.trigger("process_events", {}), timeout_seconds=120)
    wait_until(lambda: find_person(client, person).is_empty, "the late event is erased")
    assert client.query("select sum(erased) from ledger").result_rows[0][0] == erased + 1

    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("erased and verified").first).to_be_visible()


def test_viewers_may_not_look_for_people(viewer: BrowserContext) -> None:
    page = viewer.new_page()
    open_page(page, "/privacy", "Privacy")
    expect(page.get_by_text("Sign in as an operator to use it.")).to_be_visible()
    expect(page.get_by_role("button", name="Find")).to_have_count(0)
    page.close()


def test_a_text_that_is_no_user_id_is_refused(page: Page) -> None:
    open_page(page, "/privacy", "Privacy")
    page.get_by_label("User id", exact=True).fill("zinaida")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_text("is not a user id.")).to_be_visible()
