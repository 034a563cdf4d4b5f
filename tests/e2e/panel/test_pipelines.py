"""Pipelines: look, run, see it finish."""

import re

from playwright.sync_api import Page, expect

from clickstream.mage_api import MageClient
from tests.e2e.panel.panel import Panel, cells, open_page
from tests.waiting import wait_until


def test_a_pipeline_is_run_and_seen_to_finish(page: Page, panel: Panel) -> None:
    open_page(page, "/pipelines?pipeline=rebuild_marts", "Pipelines")
    page.get_by_role("button", name="Run now …").click()
    page.get_by_role("button", name="Run now", exact=True).click()
    said = page.get_by_text("has been asked for")
    expect(said).to_be_visible()
    found = re.search(r"Run (\d+)", said.inner_text())
    assert found is not None

    with MageClient(panel.settings.mage) as mage:
        assert mage.wait(int(found[1]), timeout_seconds=120).pipeline == "rebuild_marts"
    wait_until(
        lambda: {found[1], "completed", "plan_days"} <= set(cells(page)), "the run and its blocks are shown"
    )


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
