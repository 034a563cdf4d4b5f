"""The first page that a person sees."""

from playwright.sync_api import Page, expect

from tests.e2e.panel.panel import FAILED, open_page, wait_until_drawn


def test_it_says_how_the_data_stand(page: Page) -> None:
    open_page(page, "/", "Overview")
    wait_until_drawn(page)

    expect(page.get_by_role("heading", name="Components")).to_be_visible()
    expect(page.get_by_text(FAILED)).to_have_count(0)


def test_it_leads_to_the_other_services(page: Page) -> None:
    open_page(page, "/", "Overview")

    for name in ("Superset", "Mage", "API", "Demo shop"):
        expect(page.get_by_test_id("stMain").get_by_role("link", name=name)).to_be_visible()
