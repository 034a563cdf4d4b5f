"""The reports show what the views hold."""

import csv

import pytest
from playwright.sync_api import Page, expect

from clickstream.storage.client import Role, connect
from tests.e2e.panel.panel import FAILED, Panel, open_page, wait_until_drawn

REPORTS = (
    "Active users",
    "Views and clicks",
    "Conversion by element",
    "Pages",
    "Sources",
    "Campaigns",
    "Sessions",
    "Devices",
    "Time of day",
    "Own fields",
)


@pytest.mark.parametrize("title", REPORTS)
def test_each_report_has_a_chart_and_explains_its_numbers(page: Page, title: str) -> None:
    open_page(page, f"/reports?report={title.replace(' ', '+')}", "Reports")
    expect(page.get_by_role("heading", name=title, level=3)).to_be_visible()
    expect(page.get_by_test_id("stEChartsChart").first).to_be_visible()

    page.get_by_role("button", name="How this is computed").click()

    expect(page.get_by_text("SQL of the view")).to_be_visible()
    expect(page.get_by_text(FAILED)).to_have_count(0)


def test_the_download_holds_the_numbers_of_the_view(page: Page, panel: Panel) -> None:
    open_page(page, "/reports?report=Active+users", "Reports")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()

    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        found = [
            (row["date"], int(row["dau"]), int(row["wau"]), int(row["mau"])) for row in csv.DictReader(file)
        ]
    rows = connect(panel.settings.clickhouse, Role.READER).query(
        "select toString(date), dau, wau, mau from daily_active_users order by date desc limit 30"
    )
    assert found == sorted(tuple(row) for row in rows.result_rows)


def test_the_heatmap_is_drawn_over_the_elements(page: Page) -> None:
    open_page(page, "/reports?report=Heatmap+of+clicks", "Reports")

    expect(page.get_by_text("clicks. The outlines show the elements")).to_be_visible()
    expect(page.get_by_test_id("stEChartsChart")).to_be_visible()
    wait_until_drawn(page)
    expect(page.get_by_text(FAILED)).to_have_count(0)
