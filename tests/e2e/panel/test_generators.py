"""Live generators: start, watch the events arrive, stop."""

import re

from playwright.sync_api import Page, expect

from generator.live_cli import list_generators
from tests.e2e.panel.panel import Panel, confirm, open_page
from tests.waiting import wait_until


def metric(page: Page, label: str) -> float:
    """The number of a metric."""
    text = (
        page.get_by_test_id("stMetric")
        .filter(has_text=label)
        .first.get_by_test_id("stMetricValue")
        .inner_text()
    )
    return float(re.sub(r"[^0-9.]", "", text) or 0)


def test_a_generator_is_started_seen_on_the_overview_and_stopped(page: Page, panel: Panel) -> None:
    open_page(page, "/generators", "Generators")
    page.get_by_label("Name", exact=True).fill("evening")
    page.get_by_label("Events per second", exact=True).fill("60")
    page.get_by_label("Events per second", exact=True).press("Tab")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("The generator evening was started.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    wait_until(lambda: metric(page, "Sent") > 100, "the page shows what was sent")

    open_page(page, "/", "Overview")
    wait_until(lambda: metric(page, "Events per second now") > 0, "the overview shows that events arrive")
    expect(page.get_by_text("Arriving events by source, per second")).to_be_visible()

    open_page(page, "/generators", "Generators")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    mine = [one.status for one in list_generators(panel.settings.generator) if one.name == "evening"]
    assert mine[0].state == "stopped"
    assert mine[0].options.rate_per_second == 60

    confirm(page, "Remove")
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)
    assert [one.name for one in list_generators(panel.settings.generator)] == ["default"]


def test_a_name_that_can_not_be_is_refused(page: Page) -> None:
    open_page(page, "/generators", "Generators")
    page.get_by_label("Name", exact=True).fill("Two Words")
    page.get_by_role("button", name="Start", exact=True).click()

    expect(page.get_by_text("lower-case letters, digits")).to_be_visible()
