"""Pipelines: look, run, see it finish."""

import re

from playwright.sync_api import Page, expect

from clickstream.mage_api import MageClient
from clickstream.settings import PROJECT_ROOT
from tests.e2e.panel.panel import Panel, cells, confirm, open_page
from tests.waiting import wait_until


def test_a_pipeline_is_run_and_seen_to_finish(page: Page, panel: Panel) -> None:
    open_page(page, "/pipelines?pipeline=rebuild_marts", "Pipelines")
    page.get_by_role("button", name="Run now …").click()
    page.get_by_role("button", name="Run now", exact=True).click()
    said = page.get_by_text("was requested")
    expect(said).to_be_visible()
    found = re.search(r"Run (\d+)", said.inner_text())
    assert found is not None

    with MageClient(panel.settings.mage) as mage:
        assert mage.wait(int(found[1]), timeout_seconds=120).pipeline == "rebuild_marts"
    wait_until(
        lambda: {found[1], "completed", "plan_days"} <= set(cells(page)), "the run and its blocks are shown"
    )


def test_a_run_is_found_again_by_its_address(page: Page, panel: Panel) -> None:
    with MageClient(panel.settings.mage) as mage:
        first, second = (mage.trigger("rebuild_marts", {"from_date": "2025-01-01"}) for _ in range(2))
        mage.wait(second, timeout_seconds=120)

    open_page(page, f"/pipelines?pipeline=rebuild_marts&run={first}", "Pipelines")

    chosen = page.get_by_test_id("stSelectbox").filter(has_text="Details of run")
    shown = re.compile(rf"Run {first}\b")
    wait_until(lambda: bool(shown.search(chosen.inner_html())), "the run of the address is chosen")


def test_days_in_the_wrong_order_are_refused(page: Page) -> None:
    open_page(page, "/pipelines?pipeline=rebuild_marts", "Pipelines")
    page.get_by_role("button", name="Run now …").click()
    for label, day in (("First day (UTC)", "20260302"), ("Last day (UTC)", "20260301")):
        page.get_by_label(f"year, {label}").focus()
        page.keyboard.type(day)
    # The calendar of the second field may cover the button.
    page.get_by_role("button", name="Run now", exact=True).focus()
    page.keyboard.press("Enter")

    expect(page.get_by_text("The first day, 2026-03-02, is after the last, 2026-03-01.")).to_be_visible()


def test_a_schedule_is_paused_and_resumed(page: Page, panel: Panel) -> None:
    def is_active() -> bool:
        with MageClient(panel.settings.mage) as mage:
            return next(one for one in mage.triggers("process_events") if one.is_schedule).is_active

    # Mage writes the pause to this file of the checkout.
    file = PROJECT_ROOT / "mage_project" / "pipelines" / "process_events" / "triggers.yaml"
    before = file.read_text(encoding="utf-8")
    try:
        open_page(page, "/pipelines?pipeline=process_events", "Pipelines")
        confirm(page, "Pause the schedule")
        expect(page.get_by_text("paused", exact=True)).to_be_visible()
        assert not is_active()

        page.get_by_role("button", name="Resume the schedule").click()
        expect(page.get_by_text("active", exact=True)).to_be_visible()
        assert is_active()
    finally:
        file.write_text(before, encoding="utf-8")


def test_a_file_that_is_not_there_is_refused(page: Page) -> None:
    open_page(page, "/pipelines?pipeline=load_csv", "Pipelines")
    page.get_by_role("button", name="Run now …").click()
    page.get_by_label("Path of the CSV file", exact=True).fill("/nowhere.csv")
    page.get_by_role("button", name="Run now", exact=True).click()

    expect(page.get_by_text("There is no file '/nowhere.csv'")).to_be_visible()


def test_a_failed_run_shows_the_last_lines_of_its_error(page: Page, panel: Panel) -> None:
    with MageClient(panel.settings.mage) as mage:
        run_id = mage.trigger("load_csv", {"path": "/nowhere.csv"})
        wait_until(lambda: mage.run_status(run_id).ended, "the run has failed")

    open_page(page, "/pipelines?pipeline=load_csv", "Pipelines")

    expect(page.get_by_text("It failed in the block inspect_csv_file.")).to_be_visible()
    # The table of runs names the file as well, on its canvas.
    expect(page.locator("code").filter(has_text="nowhere.csv").first).to_be_visible()


def test_the_graph_names_every_block(page: Page) -> None:
    open_page(page, "/pipelines?pipeline=process_events", "Pipelines")

    blocks = re.compile("Blocks of process_events: load_raw_events, then validate_events, .*then build_marts")
    expect(page.get_by_role("button", name=blocks).first).to_be_attached()
    expect(page.get_by_role("link", name="Open in the Mage editor")).to_have_attribute(
        "href", re.compile(r":\d+/pipelines/process_events/edit$")
    )
