"""From nothing to proved marts, in the browser: write a file, load it, verify."""

import re

from playwright.sync_api import Page, expect

from clickstream.cli.runs import process_pending
from clickstream.storage.client import Role, connect
from clickstream.storage.raw import count_pending
from tests.e2e.panel.panel import Panel, cells, open_page
from tests.waiting import wait_until


def write_file(page: Page, events: int, seed: int) -> None:
    open_page(page, "/generators?part=Files", "Generators")
    page.get_by_label("Events", exact=True).fill(str(events))
    page.get_by_label("Seed", exact=True).fill(str(seed))
    page.get_by_label("Seed", exact=True).press("Tab")
    page.get_by_role("button", name="Write the file").click()


def test_a_file_is_written_loaded_and_verified(page: Page, panel: Panel) -> None:
    write_file(page, 2_000, 5)
    expect(page.get_by_text("2,000 records:")).to_be_visible()

    open_page(page, page.url, "Generators")
    first = page.get_by_test_id("stVerticalBlock").filter(has_text="2,000 records:").last
    expect(first).to_be_visible()
    expect(first.get_by_role("link").first).to_have_attribute("href", re.compile(page.url.rpartition("=")[2]))
    address = page.get_by_role("link", name="answer key").first.get_attribute("href")
    assert address is not None
    key = page.request.get(address).json()
    assert key["parameters"]["events"] == 2_000

    page.get_by_role("button", name="Load it").first.click()
    expect(page.get_by_text("are being loaded")).to_be_visible()
    client = connect(panel.settings.clickhouse, Role.READER)
    wait_until(lambda: count_pending(client) == 2_000 or stored(panel) > 0, "the file is in raw_events")
    process_pending(panel.settings)

    open_page(page, "/generators?part=Verify", "Generators")
    page.get_by_label("Answer keys", exact=True).click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_text("Everything matches the key")).to_be_visible()


def test_a_key_of_other_events_shows_the_differences(page: Page, panel: Panel) -> None:
    open_page(page, "/generators?part=Verify", "Generators")
    page.get_by_label("Another key", exact=True).fill("data/sample_events.key.json")
    page.get_by_role("button", name="Verify", exact=True).click()

    expect(page.get_by_text("rows differ from the key").first).to_be_visible()
    expect(page.get_by_text("Differences", exact=True).first).to_be_visible()
    wait_until(lambda: "differs" in cells(page), "the table of views")


def test_a_file_that_is_cancelled_leaves_nothing(page: Page, panel: Panel) -> None:
    write_file(page, 5_000_000, 6)
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("What it had written was deleted.")).to_be_visible()
    jobs = panel.settings.stack.data_path / "panel" / "jobs"
    cancelled = [one.parent for one in jobs.glob("*/state.json") if "cancelled" in one.read_text()]
    assert [sorted(path.name for path in folder.iterdir()) for folder in cancelled] == [
        ["log", "request.json", "state.json"]
    ]


def test_a_file_that_can_not_be_is_refused_with_the_reason(page: Page) -> None:
    open_page(page, "/generators?part=Verify", "Generators")
    page.get_by_label("Another key", exact=True).fill("nowhere.json")
    page.get_by_role("button", name="Verify", exact=True).click()

    expect(page.get_by_text("There is no file 'nowhere.json'")).to_be_visible()


def stored(panel: Panel) -> int:
    client = connect(panel.settings.clickhouse, Role.READER)
    return int(client.query("select count() from events").result_rows[0][0])
